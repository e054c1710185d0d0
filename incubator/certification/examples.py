"""Invented histories for a rule, judged by the very statement that decides about people.

The statement reads named tables. Here each of them is the name of a query over invented rows instead, put in front of
it in the same WITH: names of such queries come before those of tables, so that not a letter of what judges is different
and no row is read or written. What is asked about is a period of 180 days within the days of a cohort.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from courses.choices import CLASS_HOUR_MINUTES, CourseKind
from incubator.certification.choices import ConditionKind, Window
from incubator.certification.conditions import (
    LONGEST_GAP,
    Followers,
    Tree,
    followers_of,
    leaves,
    sentence,
)
from incubator.certification.judging import Judging, values
from incubator.programmes.choices import ParticipationState

COHORT = (date(2026, 1, 1), date(2026, 12, 31))
SUPPORT = (date(2026, 3, 1), date(2026, 8, 27))
JUDGED_ON = date(2028, 6, 30)  # after everything, the longest holding included
DAY = timedelta(days=1)
# What the statement reads, each in the shape of the table it stands for.
TABLES = (
    "programmes_participation",
    "programmes_cohort",
    "metrics_creatoraccount",
    "metrics_reading",
    "metrics_latestreading",
    "certification_flag",
    "certification_work",
    "courses_graduationrule",
    "courses_taught",
    "courses_enrolment",
    "courses_session",
    "courses_assessment",
    "courses_attempt",
)
SHADOW = "{table} AS (SELECT * FROM jsonb_populate_recordset(NULL::{table}, %(rows_of_{table})s::jsonb))"
# As many works as are said, so that ten thousand of them are not written out.
WORKS = """certification_work AS (
    SELECT work.trainee_id, work.published_on, NULL::timestamptz AS taken_back_at
    FROM jsonb_to_recordset(%(rows_of_certification_work)s::jsonb) AS work (trainee_id bigint, published_on date,
        times integer)
    CROSS JOIN generate_series(1, work.times)
)"""

Run = Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class History:
    """What happened to an invented person: readings of each account as ``(day, followers)``, minutes, works."""

    words: str
    accounts: Sequence[Run] = ()
    has_graduated: bool = True
    minutes: int = 0
    works: int = 0
    flag: str = ""  # open, cleared


@dataclass(frozen=True, slots=True)
class Example:
    """A history and what the rule says of it: ``missing`` are the conditions not met, in words."""

    words: str
    is_met: bool
    missing: list[str] = field(default_factory=list)


def examples(tree: Tree) -> list[Example]:
    """Histories on both sides of each bound of a checked tree, judged; one query."""
    return judged(tree, list(histories(tree)))


def judged(tree: Tree, invented: Sequence[History]) -> list[Example]:
    """What the statement says of each history; one query."""
    judging = Judging(tree)
    shadows = ", ".join(WORKS if t == "certification_work" else SHADOW.format(table=t) for t in TABLES)
    sql = f"WITH {shadows}, {judging.all_conditions.removeprefix('WITH')} ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(sql, values(judging, on=JUDGED_ON, **_rows(invented)))
        rows = cursor.fetchall()
    said = [sentence(leaf) for leaf in leaves(tree)]
    return [
        Example(history.words, is_met, [] if is_met else [w for w, met in zip(said, flags, strict=True) if not met])
        for history, (_pk, is_met, *flags) in zip(invented, rows, strict=True)
    ]


# --- Invented ---------------------------------------------------------------------------------------------------------


def histories(tree: Tree) -> Iterator[History]:
    """Somebody who meets everything; then, for each condition from left to right, people on both sides of its bounds.

    These meet what else is needed and none of the alternatives, so that it is this condition that decides.
    """
    yield _who_meets(list(leaves(tree)), tree)
    seen = set()
    for leaf, needed in _each(tree, []):
        if (key := json.dumps(dict(leaf), sort_keys=True)) not in seen:
            seen.add(key)
            yield from _on_both_sides(leaf, _who_meets(needed, tree))


def _each(tree: Tree, needed: list[Tree]) -> Iterator[tuple[Tree, list[Tree]]]:
    """Each condition with those that are needed beside it, itself included."""
    if "kind" in tree:
        yield tree, [*needed, tree]
    for node in tree.get("any", []):
        yield from _each(node, needed)
    parts = tree.get("all", [])
    for place, node in enumerate(parts):
        others = [leaf for other in (*parts[:place], *parts[place + 1 :]) for leaf in leaves(other)]
        yield from _each(node, [*needed, *others])


def _on_both_sides(leaf: Tree, base: History) -> Iterator[History]:
    kind = leaf["kind"]
    if kind == ConditionKind.FOLLOWERS:
        for words, *accounts in _around(followers_of(leaf)):
            yield replace(base, words=words, accounts=accounts)
    elif kind == ConditionKind.GRADUATED:
        yield replace(base, words=_("The same, but not graduated"), has_graduated=False)
    elif kind == ConditionKind.CLASS_HOURS:
        enough = Decimal(leaf["number"])
        for hours in (enough - Decimal("0.1"), enough):
            words = _("The same with %(hours)s class hours") % {"hours": hours}
            yield replace(base, words=words, minutes=ceil(hours * CLASS_HOUR_MINUTES))
    elif kind == ConditionKind.PUBLISHED:
        for works in (leaf["number"] - 1, leaf["number"]):
            yield replace(base, words=_("The same with published works: %(count)d") % {"count": works}, works=works)
    else:
        yield replace(base, words=_("The same with an open question about an account"), flag="open")
        yield replace(base, words=_("The same, the question answered"), flag="cleared")


def _who_meets(needed: Sequence[Tree], tree: Tree) -> History:
    """Somebody who meets these conditions in the middle of the support period, and no others of the tree."""
    there = {leaf["kind"] for leaf in leaves(tree)}
    of_kind = {kind: [leaf for leaf in needed if leaf["kind"] == kind] for kind in ConditionKind.values}
    asked = [followers_of(leaf) for leaf in of_kind[ConditionKind.FOLLOWERS]]
    most = max((one.least for one in asked), default=0)
    days = max((one.held_days for one in asked), default=1)
    hours = max((Decimal(leaf["number"]) for leaf in of_kind[ConditionKind.CLASS_HOURS]), default=Decimal())
    is_doubted = ConditionKind.NO_OPEN_FLAG in there and not of_kind[ConditionKind.NO_OPEN_FLAG]
    return History(
        words=_("Everything met in the middle of the support period"),
        accounts=[_daily(SUPPORT[0] + 60 * DAY, days, most)] if asked else [],
        has_graduated=ConditionKind.GRADUATED not in there or bool(of_kind[ConditionKind.GRADUATED]),
        minutes=ceil(hours * CLASS_HOUR_MINUTES),
        works=max((leaf["number"] for leaf in of_kind[ConditionKind.PUBLISHED]), default=0),
        flag="open" if is_doubted else "",
    )


def _daily(first: date, days: int, followers: int, *, every: int = 1) -> list[tuple[date, int]]:
    """Readings at a number, the last of them ``days`` - 1 days after the first or later."""
    steps = ceil((days - 1) / every)
    return [(first + n * every * DAY, followers) for n in range(steps + 1)]


def _around(asked: Followers) -> Iterator[tuple[Any, ...]]:
    """``(words, readings of one account, of another …)`` on both sides of a condition's bounds."""
    first, last = {Window.COHORT: COHORT}.get(Window(asked.when), SUPPORT)
    days, least = asked.held_days, asked.least
    for number in (asked.number - 1, asked.number, asked.number + 1):
        words = _("%(number)s followers on the last day") if asked.when != Window.EVER else _("%(number)s followers")
        if days > 1:
            words = _("%(number)s followers from the last day on, for %(days)d days")
        yield words % {"number": f"{number:,}", "days": days}, _daily(last, days, number)
    told = {"number": f"{least:,}"}
    if asked.when != Window.EVER:
        yield _("%(number)s followers only a day after the end") % told, _daily(last + DAY, days, least)
        yield (
            _("%(number)s followers only before the first day") % told,
            [(first - (days + 1 - n) * DAY, least) for n in range(days)] + [(first, least - 1)],
        )
    if days > 1:
        yield from _held(asked, first + 30 * DAY)
    part = least * 6 // 10
    words = _("Two accounts with %(part)s followers each") % {"part": f"{part:,}"}
    yield words, _daily(first + 30 * DAY, days, part), _daily(first + 30 * DAY, days, part)


def _held(asked: Followers, day: date) -> Iterator[tuple[Any, ...]]:
    days, least = asked.held_days, asked.least
    told = {"number": f"{least:,}", "days": days, "fewer": days - 1}
    fell = (day + (days - 1) * DAY, least - 1)
    yield (
        _("%(number)s followers for %(fewer)d of %(days)d days, then one less") % told,
        [*_daily(day, days - 1, least), fell],
    )
    for every in (LONGEST_GAP, LONGEST_GAP + 1):
        words = _("%(number)s followers for %(days)d days, read every %(every)d days only") % {**told, "every": every}
        yield words, _daily(day, days, least, every=every)


# --- As rows ----------------------------------------------------------------------------------------------------------


def _rows(invented: Sequence[History]) -> dict[str, str]:
    """The rows of each table for all histories; the number of a history is that of its person."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    rows["programmes_cohort"] = [{"id": 1, "starts_on": COHORT[0], "ends_on": COHORT[1]}]
    rows["courses_graduationrule"] = [{"id": 1, "cohort_id": 1, "number": 1, **_NOTHING_ASKED}]
    for pk, history in enumerate(invented, 1):
        _add(rows, pk, history)
    return {f"rows_of_{table}": json.dumps(some, default=str) for table, some in rows.items()}


_NOTHING_ASKED = {
    "min_days": 0,
    "min_hours": 0,
    "min_attendance_percent": 0,
    "needs_assessments": False,
    **{f"min_{kind}_hours": 0 for kind in CourseKind.values},
}


def _add(rows: dict[str, list[dict[str, Any]]], pk: int, history: History) -> None:
    state = ParticipationState.GRADUATED if history.has_graduated else ParticipationState.TRAINING
    rows["programmes_participation"].append(
        {
            "id": pk,
            "trainee_id": pk,
            "cohort_id": 1,
            "state": state,
            "graduated_on": SUPPORT[0] if history.has_graduated else None,
            "support_starts_on": SUPPORT[0],
            "support_ends_on": SUPPORT[1],
        }
    )
    for place, readings in enumerate(history.accounts or [[]]):
        account = pk * 10 + place
        rows["metrics_creatoraccount"].append({"id": account, "trainee_id": pk})
        rows["metrics_reading"] += [{"account_id": account, "day": day, "followers": n} for day, n in readings]
        most = max((n for _day, n in readings), default=0)
        rows["metrics_latestreading"].append({"account_id": account, "peak": most})
    if history.flag:
        cleared_at = None if history.flag == "open" else "2026-06-01T00:00:00Z"
        rows["certification_flag"].append({"account_id": pk * 10, "day": SUPPORT[0], "cleared_at": cleared_at})
    rows["certification_work"].append({"trainee_id": pk, "published_on": SUPPORT[0], "times": history.works})
    taught = {"participation_id": pk, "training_day": COHORT[0], "source": "attendance", "kind": "professional"}
    rows["courses_taught"].append({**taught, "minutes": history.minutes})

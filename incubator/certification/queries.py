"""Reads of this room: what speaks for a candidate and what against, for one of them or for many side by side."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.db.models import DateField, Exists, ExpressionWrapper, F, OuterRef, QuerySet
from django.db.models.functions import Least

from incubator.certification.conditions import Tree, followers_in, sentence, sentences
from incubator.certification.judging import conditions_met
from incubator.certification.models import Candidate, Flag
from incubator.metrics.models import Reading, Spike
from incubator.metrics.queries import with_traffic

LOOKED_BACK = timedelta(days=30)  # before the crossing; further where the support period began earlier


def looked_at_since(candidate: Candidate) -> date | None:
    """The first day whose leaps count: the support period's, or 30 days before the crossing if that is earlier.

    None where the rule asks for no number.
    """
    if candidate.crossed_on is None:
        return None
    before = candidate.crossed_on - LOOKED_BACK
    return min(candidate.participation.support_starts_on or before, before)


def leaps_of(candidate: Candidate) -> QuerySet[Any]:
    """Leaps of the account up to the day of the crossing, in order of days; each says whether it ``ran_traffic``."""
    leaps, since = Spike.objects.none(), looked_at_since(candidate)
    if since is not None and candidate.crossed_on is not None:
        leaps = Spike.objects.filter(account=candidate.account_id, day__gte=since, day__lte=candidate.crossed_on)
    return with_traffic(leaps).order_by("day")


def leaps_of_many(candidates: Sequence[Candidate]) -> dict[int, list[Any]]:
    """The same for several candidates, by their ids; one query."""
    accounts = {candidate.account_id for candidate in candidates}
    found = list(with_traffic(Spike.objects.filter(account__in=accounts - {None})).order_by("day"))
    return {candidate.pk: [leap for leap in found if _is_looked_at(leap, candidate)] for candidate in candidates}


def _is_looked_at(leap: Spike, candidate: Candidate) -> bool:
    since, until = looked_at_since(candidate), candidate.crossed_on
    is_theirs = leap.account_id == candidate.account_id
    return is_theirs and since is not None and until is not None and since <= leap.day <= until


def unexplained_leaps(candidate: Candidate) -> QuerySet[Any]:
    """Those of them that no traffic grant explains. Whether new works would is not known: works are not read."""
    return leaps_of(candidate).filter(ran_traffic=False)


def with_flag(candidates: QuerySet[Candidate]) -> QuerySet[Candidate]:
    """Annotate ``is_flagged``: whether there is an unexplained leap; by the same days as ``unexplained_leaps``."""
    before: Any = ExpressionWrapper(F("crossed_on") - LOOKED_BACK, output_field=DateField())
    rows = candidates.annotate(looked_at_since=Least(F("participation__support_starts_on"), before))
    leaps = Spike.objects.filter(
        account=OuterRef("account"), day__gte=OuterRef("looked_at_since"), day__lte=OuterRef("crossed_on")
    )
    return rows.annotate(is_flagged=Exists(with_traffic(leaps).filter(ran_traffic=False)))  # type: ignore[misc]


def with_open_flag(candidates: QuerySet[Candidate]) -> QuerySet[Candidate]:
    """Annotate ``has_open_flag``: whether a question about one of the person's accounts is open."""
    of_person = Flag.objects.open().filter(account__trainee=OuterRef("participation__trainee"))
    return candidates.annotate(has_open_flag=Exists(of_person))


# --- What the rule says of somebody -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a rule as it reads, and whether it is met; ``is_group`` joins the deeper ones that follow."""

    depth: int
    words: str
    is_met: bool
    is_group: bool


def conditions_of(candidates: Iterable[Candidate], *, on: date) -> dict[int, list[Line]]:
    """The rule of each candidate line by line, met or not by a day; one query for each rule.

    Nothing of somebody who is not judged any more, having withdrawn.
    """
    found = {}
    by_rule = sorted(candidates, key=lambda candidate: candidate.rule_id)
    for _rule_id, some in groupby(by_rule, key=lambda candidate: candidate.rule_id):
        group = list(some)
        tree = group[0].rule.conditions
        judged = conditions_met(tree, [candidate.participation_id for candidate in group], on=on)
        for candidate in group:
            if candidate.participation_id in judged:
                _is_met, flags = judged[candidate.participation_id]
                found[candidate.pk] = _lines(tree, iter(flags), 0)
    return found


def _lines(tree: Tree, met: Iterator[bool], depth: int) -> list[Line]:
    """The tree with an answer for each line; ``met`` has one for each condition from left to right."""
    if "kind" in tree:
        return [Line(depth, sentence(tree), next(met), is_group=False)]
    join, holds = ("all", all) if "all" in tree else ("any", any)
    parts = [_lines(node, met, depth + 1) for node in tree[join]]
    words = sentences(tree)[0][1]
    own = Line(depth, words, holds(part[0].is_met for part in parts), is_group=True)
    return [own, *(line for part in parts for line in part)]


# --- The readings that speak for somebody -----------------------------------------------------------------------------

SHOWN_BEFORE, SHOWN_AFTER = timedelta(days=60), timedelta(days=30)


def readings_around(candidates: Sequence[Candidate]) -> dict[int, list[Reading]]:
    """Readings of each candidate's account from 60 days before the crossing to 30 days after it (after the number was
    held long enough), by the candidate's id and in order of days; one query.
    """
    spans = {c.pk: _span_shown(c) for c in candidates if c.crossed_on is not None}
    accounts = {c.pk: c.account_id for c in candidates if c.account_id is not None}
    days = {first + timedelta(days=n) for first, last in spans.values() for n in range((last - first).days + 1)}
    if not days:
        return {}
    # Day after day by the key (day, account): an index by account exists in closed months only.
    rows = Reading.objects.filter(account__in=set(accounts.values()), day__in=days).order_by("day")
    of_account: dict[int, list[Reading]] = {}
    for reading in rows:
        of_account.setdefault(reading.account_id, []).append(reading)
    return {
        pk: [r for r in of_account.get(accounts[pk], []) if first <= r.day <= last]
        for pk, (first, last) in spans.items()
    }


def _span_shown(candidate: Candidate) -> tuple[date, date]:
    day: Any = candidate.crossed_on
    return day - SHOWN_BEFORE, max(candidate.held_on or day, day) + SHOWN_AFTER


# --- How long a number was held ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holding:
    """``since``: the first day at the number; ``needed`` days in all; ``ripe_on`` the day on which it is held."""

    since: date
    needed: int
    ripe_on: date
    is_held: bool

    def days_to_go(self, on: date) -> int:
        """0 on the last of the days: it is held once a reading of then or later is known."""
        return 0 if self.is_held else max(0, (self.ripe_on - on).days)


def holding_of(candidate: Candidate) -> Holding | None:
    """How long the number is held, by the longest holding that the rule asks for; None where it asks for a day only."""
    needed = max((one.held_days for one in followers_in(candidate.rule.conditions)), default=1)
    if candidate.crossed_on is None or needed == 1:
        return None
    ripe_on = candidate.held_on or candidate.crossed_on + timedelta(days=needed - 1)
    return Holding(candidate.crossed_on, needed, ripe_on, candidate.held_on is not None)

"""Who meets a rule's conditions by a day, judged in one statement for one person or for a million.

``Judging(tree).sql`` gives rows ``(id, is_met, account_id, day, followers, held_on)``: participations that meet the
tree, and with ``is_met`` false those who are holding a number, or may yet begin to. Account, day and
followers are those of the first condition about followers that is met, in the order of the tree.

A run is a row of readings of one account at or above the number, with no lower reading between them and no two of them
further apart than ``LONGEST_GAP`` days. It counts from its first reading within the period; holding it may go on after
the period. It was held N days once a reading of the run is N - 1 days or more after that first one.

All of it rests on the partial index over readings of ``LOWEST_THRESHOLD`` followers and more: the readings of a run and
those that interrupt it are found there, and a lower one only has to be looked for on the few days that are missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from courses.choices import CLASS_HOUR_MINUTES
from courses.queries import STANDINGS
from incubator.certification.choices import ConditionKind, Window
from incubator.certification.conditions import (
    LONGEST_GAP,
    Followers,
    Tree,
    asks_for_hours,
    followers_in,
    followers_of,
    leaves,
)
from incubator.metrics.models import LOWEST_THRESHOLD
from incubator.programmes.choices import ParticipationState

JUDGED = (
    ParticipationState.ADMITTED,
    ParticipationState.TRAINING,
    ParticipationState.GRADUATED,
    ParticipationState.CONCLUDED,
)
CONSTANTS: dict[str, Any] = {
    "lowest": LOWEST_THRESHOLD,
    "gap": LONGEST_GAP,
    "judged": list(JUDGED),
    "graduates": [ParticipationState.GRADUATED, ParticipationState.CONCLUDED],
}
# Both ends of each window, of a ``person``; a window that has not opened has no first day and contains nothing.
WINDOWS: dict[str, tuple[str, str]] = {
    Window.SUPPORT: ("person.support_starts_on", "person.support_ends_on"),
    Window.COHORT: ("person.cohort_starts_on", "person.cohort_ends_on"),
    Window.EVER: ("date '0001-01-01'", "date '9999-12-31'"),
}

PERSON = """
person AS NOT MATERIALIZED (
    SELECT participation.id, participation.trainee_id, participation.state, participation.graduated_on,
        participation.support_starts_on, participation.support_ends_on,
        cohort.starts_on AS cohort_starts_on, cohort.ends_on AS cohort_ends_on
    FROM programmes_participation participation
    JOIN programmes_cohort cohort ON cohort.id = participation.cohort_id
    WHERE participation.state = ANY(%(judged)s) {scope}
)"""
HIT = """
hit_{n} AS MATERIALIZED (
    SELECT person.id, account.id AS account_id, reading.day, reading.followers, {starts} AS starts_on, {ends} AS ends_on
    FROM person
    JOIN metrics_creatoraccount account ON account.trainee_id = person.trainee_id
    JOIN metrics_latestreading latest ON latest.account_id = account.id
    JOIN metrics_reading reading ON reading.account_id = account.id
    WHERE latest.peak >= %(least_{n})s
        AND reading.followers >= %(lowest)s AND reading.followers >= %(least_{n})s
        AND reading.day BETWEEN {starts} AND {ends} AND reading.day <= %(on)s
)"""
REACHED = """
reached_{n} AS MATERIALIZED (
    SELECT DISTINCT ON (hit.id) hit.id, hit.account_id, hit.day, hit.followers, hit.day AS held_on
    FROM (SELECT id, min(day) AS day FROM hit_{n} GROUP BY id) AS first JOIN hit_{n} hit USING (id, day)
    ORDER BY hit.id, hit.followers DESC, hit.account_id
)"""
HELD = """
step_{n} AS (
    SELECT pair.id, pair.account_id, pair.ends_on, reading.day, reading.followers, lag(reading.day) OVER one AS before,
        lag(reading.followers) OVER one AS followers_before
    FROM (SELECT DISTINCT id, account_id, starts_on, ends_on FROM hit_{n}) AS pair
    JOIN metrics_reading reading ON reading.account_id = pair.account_id
        AND reading.followers >= %(lowest)s AND reading.day BETWEEN pair.starts_on AND %(on)s
    WINDOW one AS (PARTITION BY pair.id, pair.account_id ORDER BY reading.day)
),
part_{n} AS (
    SELECT *, count(*) FILTER (
            WHERE before IS NULL OR followers_before < %(least_{n})s OR day - before > %(gap)s
                OR day - before > 1 AND EXISTS (
                    SELECT FROM generate_series(before + 1, day - 1, interval '1 day') AS missing
                    JOIN metrics_reading lower ON lower.day = missing::date AND lower.account_id = step.account_id
                )
        ) OVER (PARTITION BY id, account_id ORDER BY day) AS run
    FROM step_{n} step WHERE followers >= %(least_{n})s
),
run_{n} AS (
    SELECT *, min(day) OVER (PARTITION BY id, account_id, run) AS began_on FROM part_{n}
),
whole_{n} AS MATERIALIZED (
    SELECT id, account_id, began_on AS day, ends_on, max(day) AS last_on,
        (array_agg(followers ORDER BY day))[1] AS followers,
        min(day) FILTER (WHERE day >= began_on + %(held_{n})s - 1) AS held_on
    FROM run_{n} WHERE began_on <= ends_on GROUP BY id, account_id, run, began_on, ends_on
),
held_{n} AS MATERIALIZED (
    SELECT DISTINCT ON (id) id, account_id, day, followers, held_on
    FROM whole_{n} WHERE held_on IS NOT NULL ORDER BY id, day, followers DESC, account_id
),
holding_{n} AS MATERIALIZED (
    SELECT DISTINCT ON (id) id, account_id, day, followers
    FROM whole_{n} whole
    WHERE held_on IS NOT NULL OR ends_on >= %(on)s OR CASE WHEN %(on)s - last_on <= %(gap)s THEN NOT EXISTS (
        SELECT FROM generate_series(last_on + 1, %(on)s, interval '1 day') AS later
        JOIN metrics_reading lower ON lower.day = later::date AND lower.account_id = whole.account_id
    ) END
    ORDER BY id, day, followers DESC, account_id
)"""
HOURS = """
maybe AS MATERIALIZED (SELECT person.id FROM person {joins} WHERE {maybe}),
hours AS MATERIALIZED (
    SELECT standing.id, standing.counted FROM ({standings} SELECT id, counted FROM standing) AS standing
)"""
PUBLISHED = """(
    SELECT count(*) FROM certification_work work
    WHERE work.trainee_id = person.trainee_id AND work.taken_back_at IS NULL AND work.published_on
        BETWEEN person.cohort_starts_on AND least(person.support_ends_on, %(on)s)
) >= {number}"""
NO_OPEN_FLAG = """NOT EXISTS (
    SELECT FROM certification_flag flag JOIN metrics_creatoraccount flagged ON flagged.id = flag.account_id
    WHERE flagged.trainee_id = person.trainee_id AND flag.cleared_at IS NULL AND flag.day <= %(on)s
)"""
GRADUATED = "(person.state = ANY(%(graduates)s) AND person.graduated_on <= %(on)s)"
# Scopes, to be put together: these participations only; whoever does not hold the badge.
AMONG = "AND participation.id = ANY(%(among)s)"
WITHOUT_BADGE = """
AND NOT EXISTS (
    SELECT FROM certification_award award WHERE award.trainee_id = participation.trainee_id
        AND award.badge_id = %(badge)s AND award.withdrawn_at IS NULL
)
"""


@dataclass
class Judging:
    """The statement for a tree: ``sql`` and ``params``; ``on`` and, with a scope of people, theirs are added by whoever
    runs it. ``flags`` are the conditions from left to right as expressions over the statement's last FROM.
    """

    tree: Tree
    scope: str = ""
    params: dict[str, Any] = field(default_factory=lambda: dict(CONSTANTS))

    def __post_init__(self) -> None:
        self.asked: list[Followers] = list(dict.fromkeys(followers_in(self.tree)))
        self.holds = any(asked.held_days > 1 for asked in self.asked)
        self.needs_hours = asks_for_hours(self.tree)
        for n, asked in enumerate(self.asked):
            self.params |= {f"least_{n}": asked.least, f"held_{n}": asked.held_days}

    def parts(self, *, everybody: bool = False) -> str:
        """The named queries before the last SELECT. Class hours take longest, so they are counted for those only who
        meet the rest; ``everybody`` asks for them of the whole scope.
        """
        parts = [PERSON.format(scope=self.scope)]
        for n, asked in enumerate(self.asked):
            starts, ends = WINDOWS[asked.when]
            parts.append(HIT.format(n=n, starts=starts, ends=ends))
            parts.append((HELD if asked.held_days > 1 else REACHED).format(n=n))
        if self.needs_hours:
            who = STANDINGS.format(who="SELECT id FROM maybe")
            maybe = "true" if everybody else self._holds(self.tree, is_early=True, hours=False)
            parts.append(HOURS.format(joins=self._joins(), maybe=maybe, standings=who))
        return "WITH" + ",".join(parts)

    def source(self) -> str:
        """What follows FROM, so that each condition is an expression."""
        return "person " + self._joins() + (" LEFT JOIN hours ON hours.id = person.id" if self.needs_hours else "")

    def _joins(self) -> str:
        return " ".join(f"LEFT JOIN {table} ON {table}.id = person.id" for table in self._tables())

    def _tables(self) -> Iterator[str]:
        for n, asked in enumerate(self.asked):
            yield from (f"held_{n}", f"holding_{n}") if asked.held_days > 1 else (f"reached_{n}",)

    def _table(self, asked: Followers, *, is_early: bool = False) -> str:
        n = self.asked.index(asked)
        if asked.held_days == 1:
            return f"reached_{n}"
        return f"holding_{n}" if is_early else f"held_{n}"

    def leaf(self, node: Tree, *, is_early: bool = False, hours: bool = True) -> str:
        """One condition as an expression. With ``is_early`` no number must be held; without ``hours`` they are met."""
        kind = node["kind"]
        if kind == ConditionKind.FOLLOWERS:
            return f"({self._table(followers_of(node), is_early=is_early)}.id IS NOT NULL)"
        if kind == ConditionKind.CLASS_HOURS:
            minutes = f"{node['number']} * {CLASS_HOUR_MINUTES}"
            return f"(coalesce(hours.counted, 0) >= {minutes})" if hours else "true"
        if kind == ConditionKind.PUBLISHED:
            return f"({PUBLISHED.format(number=int(node['number']))})"
        return GRADUATED if kind == ConditionKind.GRADUATED else f"({NO_OPEN_FLAG})"

    def _holds(self, node: Tree, *, is_early: bool = False, hours: bool = True) -> str:
        if "kind" in node:
            return self.leaf(node, is_early=is_early, hours=hours)
        word, some = (" AND ", node["all"]) if "all" in node else (" OR ", node["any"])
        return "(" + word.join(self._holds(child, is_early=is_early, hours=hours) for child in some) + ")"

    @property
    def is_met(self) -> str:
        return self._holds(self.tree)

    @property
    def is_early(self) -> str:
        return self._holds(self.tree, is_early=True)

    @property
    def flags(self) -> list[str]:
        return [self.leaf(node) for node in leaves(self.tree)]

    def facts(self) -> str:
        """Account, day, followers and ``held_on`` of the first condition that is held, else that is reached."""
        held = [self._table(asked) for asked in self.asked]
        holding = [self._table(asked, is_early=True) for asked in self.asked if asked.held_days > 1]
        columns = []
        for name, kind in (("account_id", "bigint"), ("day", "date"), ("followers", "integer")):
            some = ", ".join(f"{table}.{name}" for table in [*held, *holding])
            columns.append(f"coalesce({some})" if some else f"NULL::{kind}")
            columns[-1] += f" AS {name}"
        kept = ", ".join(f"{table}.held_on" for table in held)
        columns.append((f"coalesce({kept})" if kept else "NULL::date") + " AS held_on")
        return ", ".join(columns)

    @property
    def sql(self) -> str:
        """Everybody who meets the tree, and who is holding a number that will."""
        condition = self.is_early if self.holds else self.is_met
        return (
            f"{self.parts()}\nSELECT person.id, {self.is_met} AS is_met, {self.facts()}\n"
            f"FROM {self.source()}\nWHERE {condition}"
        )

    @property
    def who_meets(self) -> str:
        """The ids of everybody who meets the tree."""
        return f"SELECT id FROM ({self.sql}) AS judged WHERE is_met"  # noqa: S608 - our own parts

    @property
    def all_conditions(self) -> str:
        """Everybody of the scope: whether the tree is met, and one column for each condition from left to right."""
        columns = ", ".join(f"{flag} AS leaf_{place}" for place, flag in enumerate(self.flags))
        said = f"SELECT person.id, {self.is_met} AS is_met, {columns}\nFROM {self.source()}"
        return f"{self.parts(everybody=True)}\n{said}"


def values(judging: Judging, *, on: date, **scope: Any) -> dict[str, Any]:
    """The parameters of the statement."""
    return judging.params | {"on": on} | scope


def conditions_met(tree: Tree, participations: Sequence[int], *, on: date) -> dict[int, tuple[bool, list[bool]]]:
    """By participation: whether the tree is met by a day, and each of its conditions from left to right. One statement.

    Who is not judged, having withdrawn or never been admitted, is missing.
    """
    judging = Judging(tree, scope=AMONG)
    with connection.cursor() as cursor:
        cursor.execute(judging.all_conditions, values(judging, on=on, among=list(participations)))
        return {pk: (is_met, flags) for pk, is_met, *flags in cursor.fetchall()}

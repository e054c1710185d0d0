"""How much there is of what a rule asks for: the figures behind ``explaining``, for any number of people at once.

Whether a condition is met is not decided here but by ``Judging`` alone; a test holds the two against each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection

from incubator.certification.conditions import Followers, Tree
from incubator.certification.judging import AMONG, PERSON, WINDOWS, Judging, conditions_met, values

LOOKED_BACK = 366  # days before the end of a window in which readings below the index's threshold are looked for

# The best reading of any of a person's accounts within a window, the earliest of equal ones. Those of the index's
# threshold and more come from the index, lower ones day by day by the key (day, account).
BEST = """
SELECT * FROM (
    SELECT DISTINCT ON (person.id) person.id, {when} AS window, account.id AS account_id, one.day, one.followers
    FROM person
    JOIN metrics_creatoraccount account ON account.trainee_id = person.trainee_id
    CROSS JOIN LATERAL (
        SELECT reading.day, reading.followers FROM metrics_reading reading
        WHERE reading.account_id = account.id AND reading.followers >= %(lowest)s
            AND reading.day BETWEEN {starts} AND least({ends}, %(on)s)
        UNION ALL
        SELECT reading.day, reading.followers
        FROM generate_series(
            greatest({starts}, least({ends}, %(on)s) - %(looked_back)s), least({ends}, %(on)s), interval '1 day'
        ) AS each (day)
        JOIN metrics_reading reading ON reading.day = each.day::date AND reading.account_id = account.id
        WHERE reading.followers < %(lowest)s
    ) AS one
    WHERE {starts} <= %(on)s
    ORDER BY person.id, one.followers DESC, one.day, account.id
) AS best"""
# Every run that began in the window; it lives while no lower reading and no longer gap has come since its last one.
RUNS = """
SELECT id, {n} AS place, account_id, day, last_on, last_on - day + 1 AS held,
    %(on)s - last_on <= %(gap)s AND NOT EXISTS (
        SELECT FROM generate_series(last_on + 1, %(on)s, interval '1 day') AS later
        JOIN metrics_reading lower ON lower.day = later::date AND lower.account_id = whole.account_id
    ) AS is_alive
FROM whole_{n} whole"""


@dataclass(frozen=True, slots=True)
class Best:
    """The most followers that one account had on a day of a window."""

    account_id: int
    day: date
    followers: int


@dataclass(frozen=True, slots=True)
class Run:
    """Readings at or above a number without a lower one between: since when, until when, for how many days."""

    account_id: int
    began_on: date
    last_on: date
    held: int
    is_alive: bool


@dataclass(slots=True)
class Amounts:
    """Of one rule and some participations, by the participation's id; people who are not judged are missing."""

    flags: dict[int, tuple[bool, list[bool]]]  # the rule, each condition
    best: dict[tuple[int, str], Best] = field(default_factory=dict)  # by participation and window
    runs: dict[tuple[int, Followers], list[Run]] = field(default_factory=dict)


def amounts_of(tree: Tree, ids: Sequence[int], *, on: date) -> Amounts:
    """What there is by a day; two statements, three where a number must be held."""
    judging = Judging(tree, scope=AMONG)
    found = Amounts(conditions_met(tree, ids, on=on))
    given = values(judging, on=on, among=list(ids), looked_back=LOOKED_BACK)
    with connection.cursor() as cursor:
        for pk, window, account_id, day, followers in _rows(cursor, _best(judging), given):
            found.best[pk, window] = Best(account_id, day, followers)
        for pk, place, *run in _rows(cursor, _runs(judging), given):
            found.runs.setdefault((pk, judging.asked[place]), []).append(Run(*run))
    return found


def _rows(cursor: Any, sql: str, given: dict[str, Any]) -> list[Any]:
    if not sql:
        return []
    cursor.execute(sql, given)
    rows: list[Any] = cursor.fetchall()
    return rows


def _best(judging: Judging) -> str:
    parts = []
    for when in dict.fromkeys(asked.when for asked in judging.asked):
        starts, ends = WINDOWS[when]
        parts.append(BEST.format(when=f"'{when}'", starts=starts, ends=ends))
    return f"WITH {PERSON.format(scope=AMONG)}" + " UNION ALL ".join(parts) if parts else ""


def _runs(judging: Judging) -> str:
    parts = [RUNS.format(n=n) for n, asked in enumerate(judging.asked) if asked.held_days > 1]
    return judging.parts() + " UNION ALL ".join(parts) if parts else ""

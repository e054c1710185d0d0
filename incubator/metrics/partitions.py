"""Months of readings: each a table of its own, made ahead, indexed by account once it is over, dropped when too old.

A reading whose month has no table lands in ``metrics_reading_rest``: nothing is lost, an alarm is raised, and the next
``ensure_partitions`` moves it to its month.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.db import connection, transaction

MONTHS_AHEAD = 2
REST = "metrics_reading_rest"
CLOSED_AFTER = timedelta(days=31)  # after the month's end; ``metrics_reading_as_of`` looks back 61 days by the key
LOCK = 7_202_601  # advisory lock: one process at a time changes months

MONTHS = """
SELECT child.relname FROM pg_inherits
JOIN pg_class child ON child.oid = inhrelid
WHERE inhparent = 'metrics_reading'::regclass AND child.relname <> %s
"""
REST_MONTHS = f"SELECT DISTINCT date_trunc('month', day)::date FROM {REST}"  # noqa: S608 - our own constant
MOVE = """
CREATE TABLE {name} (LIKE metrics_reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
WITH moved AS (DELETE FROM {rest} WHERE day >= '{first}' AND day < '{after}' RETURNING *)
INSERT INTO {name} SELECT * FROM moved;
ALTER TABLE metrics_reading ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}');
"""


@dataclass
class Changes:
    """What ``ensure_partitions`` did: names of months."""

    made: list[str] = field(default_factory=list)
    indexed: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def partition_name(month: date) -> str:
    return f"metrics_reading_{month:%Y%m}"


def _month_named(name: str) -> date:
    return date(int(name[-6:-2]), int(name[-2:]), 1)


def months_there() -> set[date]:
    """The months that have a table, by their first day."""
    with connection.cursor() as cursor:
        cursor.execute(MONTHS, [REST])
        return {_month_named(name) for (name,) in cursor.fetchall()}


def months_wanted(on: date) -> list[date]:
    """The month of a day and those made ahead of it."""
    months = [month_of(on)]
    for _ahead in range(MONTHS_AHEAD):
        months.append(next_month(months[-1]))
    return months


def months_in_rest() -> set[date]:
    """Months whose readings have no table of their own; empty when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(REST_MONTHS)
        return {month for (month,) in cursor.fetchall()}


def ensure_partitions(*, on: date) -> Changes:
    """Make the months around ``on`` that are missing, index closed ones, drop those past ``READINGS_KEEP_MONTHS``."""
    changes = Changes()
    for month in sorted({*months_wanted(on), *months_in_rest()} - months_there()):
        _make(month, changes)
    for month in sorted(months_there()):
        if next_month(month) <= on - CLOSED_AFTER:
            _index(month, changes)
    _drop_old(on, changes)
    return changes


@transaction.atomic
def _make(month: date, changes: Changes) -> None:
    name = partition_name(month)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if month in months_there():
            return
        cursor.execute(MOVE.format(name=name, rest=REST, first=month, after=next_month(month)))
    changes.made.append(name)


def _index(month: date, changes: Changes) -> None:
    """An index by account: a closed month is written no more, so it costs the nightly refresh nothing."""
    name = partition_name(month)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{name}_history"])
        if cursor.fetchone()[0]:
            return
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute(f"CREATE INDEX IF NOT EXISTS {name}_history ON {name} (account_id, day) INCLUDE (followers)")
        changes.indexed.append(name)


def _drop_old(on: date, changes: Changes) -> None:
    """Drop months that ended more than ``READINGS_KEEP_MONTHS`` months ago; 0 keeps everything."""
    if not settings.READINGS_KEEP_MONTHS:
        return
    months = on.year * 12 + on.month - settings.READINGS_KEEP_MONTHS
    for month in sorted(m for m in months_there() if m.year * 12 + m.month < months):
        name = partition_name(month)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            cursor.execute(f"DROP TABLE {name}")
        changes.dropped.append(name)

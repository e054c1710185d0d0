"""Regions counted anew from the readings, where the night's increments cannot tell what changed."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from incubator.metrics import reading_sql as sql
from incubator.metrics.models import LatestReading
from incubator.metrics.queries import first_read_on
from incubator.metrics.rollups import COUNTRY
from incubator.regions.models import Region

LOCK = 7_202_602  # advisory lock: one writer of readings at a time


def lock_writing(cursor: Any) -> None:
    """Wait to be the one who writes readings and what is kept of them, to the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def recount_regions(counties: Sequence[str], *, since: date, except_for: Collection[str] = ()) -> None:
    """Count the days of counties from ``since`` on anew, and of all they belong to. Exact, and slow for long spans.

    ``except_for`` are codes of what lies above them and needs no count.
    """
    with connection.cursor() as cursor:
        lock_writing(cursor)
    until = LatestReading.objects.aggregate(day=Max("day"))["day"]
    if until is None:
        return
    values = {"codes": list(counties), "since": since, "until": until, **sql.CONSTANTS}
    with connection.cursor() as cursor:
        cursor.execute(sql.FORGET_DAYS, values)
        cursor.execute(sql.COUNT_COUNTIES, values)
        above = sorted(_above(counties) - set(counties) - set(except_for))
        cursor.execute(sql.FORGET_DAYS, values | {"codes": above})
        cursor.execute(sql.COUNT_ABOVE, values | {"above": above})


@transaction.atomic
def recount_joined(ours: Sequence[int], theirs: Sequence[int], *, counties: Collection[str], are_one: bool) -> None:
    """Let regions' days be true again after two people became one (``are_one``), or one became two again.

    ``ours`` and ``theirs`` are the ids of their accounts, ``counties`` every county that one of them is or was of.
    Where both are of one county a person less is counted, and nothing else: that takes no recount. Between two
    counties those are counted anew with what they do not share; above, again only people are.
    """
    with connection.cursor() as cursor:
        lock_writing(cursor)
    first, since = _first_day([*ours, *theirs]), _both_known(ours, theirs)
    shared = set.intersection(*(_above([code]) | {code} for code in counties))
    if len(set(counties)) > 1 and first is not None:
        recount_regions(sorted(set(counties)), since=first, except_for=shared)
    if since is None:
        return
    people = {"ours": list(ours), "theirs": list(theirs), "change": -1 if are_one else 1}
    values: dict[str, Any] = {**sql.CONSTANTS, **people, "codes": sorted(shared), "since": since}
    with connection.cursor() as cursor:
        cursor.execute(sql.PEOPLE_JOINED, values)


def _first_day(accounts: Sequence[int]) -> date | None:
    """A day at or before the first reading of these accounts; None where none of them was ever read."""
    days = LatestReading.objects.filter(pk__in=accounts).values_list("pk", "day")
    return min((first_read_on(pk, until=day) for pk, day in days), default=None)


def _both_known(ours: Sequence[int], theirs: Sequence[int]) -> date | None:
    """A day at or before the first on which both people are known."""
    first, other = _first_day(ours), _first_day(theirs)
    return None if first is None or other is None else max(first, other)


def _above(counties: Sequence[str]) -> set[str]:
    """What the counties belong to: prefectures, provinces, the country."""
    paths = Region.objects.filter(code__in=counties).values_list("prefecture_id", "province_id")
    return {code for path in paths for code in path if code} | {COUNTRY}

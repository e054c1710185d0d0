"""Regions counted anew from the readings, where the night's increments cannot tell what changed."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from incubator.metrics import reading_sql as sql
from incubator.metrics.models import LatestReading
from incubator.metrics.rollups import COUNTRY
from incubator.regions.models import Region

LOCK = 7_202_602  # advisory lock: one writer of readings at a time


def lock_writing(cursor: Any) -> None:
    """Wait to be the one who writes readings and what is kept of them, to the end of the transaction."""
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def recount_regions(counties: Sequence[str], *, since: date) -> None:
    """Count the days of counties from ``since`` on anew, and of all they belong to. Exact, and slow for long spans."""
    with connection.cursor() as cursor:
        lock_writing(cursor)
    until = LatestReading.objects.aggregate(day=Max("day"))["day"]
    if until is None:
        return
    values = {"codes": list(counties), "since": since, "until": until, **sql.CONSTANTS}
    with connection.cursor() as cursor:
        cursor.execute(sql.FORGET_DAYS, values)
        cursor.execute(sql.COUNT_COUNTIES, values)
        above = sorted(_above(counties) - set(counties))
        cursor.execute(sql.FORGET_DAYS, values | {"codes": above})
        cursor.execute(sql.COUNT_ABOVE, values | {"above": above})


def _above(counties: Sequence[str]) -> set[str]:
    """What the counties belong to: prefectures, provinces, the country."""
    paths = Region.objects.filter(code__in=counties).values_list("prefecture_id", "province_id")
    return {code for path in paths for code in path if code} | {COUNTRY}

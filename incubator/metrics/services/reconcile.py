"""Putting right what the readings do not bear out: newest readings, crossings and regions' days written anew."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from incubator.metrics import reading_sql as sql
from incubator.metrics.models import LatestReading
from incubator.metrics.reconciliation import Difference, newest_day
from incubator.metrics.rollups import COUNTRY
from incubator.metrics.services.rollups import lock_writing, recount_regions
from incubator.regions.models import Region
from trainees.models import Trainee


@transaction.atomic
def put_right(found: Sequence[Difference]) -> None:
    """Write anew what differs, from the readings. The smoothed growth of an account is left as it is."""
    with connection.cursor() as cursor:
        lock_writing(cursor)
    _rewrite_newest([one.key for one in found if one.kind == "newest"])
    crossed = _by_day(one for one in found if one.kind == "crossing")
    for day, accounts in crossed.items():
        _rewrite_crossings(accounts, day)
    regions = [one for one in found if one.kind == "region"]
    if regions:
        recount_regions(_counties({one.key for one in regions}), since=min(one.day for one in regions))


def _by_day(found: Iterable[Difference]) -> dict[date, list[int]]:
    days: dict[date, list[int]] = defaultdict(list)
    for one in found:
        days[one.day].append(one.key)
    return days


def _rewrite_newest(accounts: list[int]) -> None:
    until = newest_day()
    if until is None:
        LatestReading.objects.filter(pk__in=accounts).delete()
        return
    values: dict[str, Any] = {"accounts": accounts, "until": until, **sql.CONSTANTS}
    with connection.cursor() as cursor:
        cursor.execute(sql.FORGET_NEWEST, values)
        cursor.execute(sql.REWRITE_NEWEST, values)


def _rewrite_crossings(accounts: list[int], day: date) -> None:
    values: dict[str, Any] = {"accounts": accounts, "day": day, **sql.CONSTANTS}
    with connection.cursor() as cursor:
        cursor.execute(sql.FORGET_CROSSINGS, values)
        cursor.execute(sql.CROSSINGS_AFTER_LATE, values)


def _counties(codes: set[str]) -> list[str]:
    """Counties whose recount counts all of ``codes``: themselves, and for what lies above them one county below."""
    above = {code for code in codes if code == COUNTRY or Region.objects.filter(_below(code)).exists()}
    below = {county for code in above if (county := _one_county(code))}
    return sorted((codes - above) | below)


def _below(code: str) -> Q:
    return Q() if code == COUNTRY else (Q(prefecture=code) | Q(province=code)) & ~Q(code=code)


def _one_county(code: str) -> str | None:
    counties = Region.objects.filter(_below(code))
    with_people = counties.filter(code__in=Trainee.objects.values("county"))
    found = with_people.first() or counties.order_by("-code").first()
    return found.code if found else None

"""A day's work by what Django offers, as a baseline: every table by ``bulk_create``, regions added up in Python.

It does less than ours: nothing is held back, and every account counts as a person of its own.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from incubator.metrics.models import CreatorAccount, Crossing, LatestReading, Reading, RegionDay, Spike
from incubator.metrics.reading_sql import LEAP, LEAP_SHARE, LEAP_TIMES, MEMORY
from incubator.metrics.rollups import BINS, COUNTRY, EDGES, THRESHOLDS
from incubator.regions.models import Region

BATCH = 5000
Row = tuple[int, int, int]  # account id, followers, following
SUMS = ["accounts", "followers", "read", "compared", "growth"]
NEWEST = ["day", "followers", "fetched_at", "previous_day", "previous_followers", "growth", "peak"]


@transaction.atomic
def write_day(rows: Sequence[Row], day: date, at: datetime) -> None:
    """Readings, newest readings, crossings, leaps and the days of regions."""
    counties: dict[str, RegionDay] = defaultdict(lambda: _nothing(day))
    for start in range(0, len(rows), BATCH):
        _write_batch(rows[start : start + BATCH], day, at, counties)
    _write_regions(day, counties)


def bulk_create_readings(rows: Sequence[Row], day: date, at: datetime) -> None:
    """Readings alone."""
    Reading.objects.bulk_create(
        (Reading(day=day, account_id=a, followers=f, following=w, fetched_at=at) for a, f, w in rows),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["day", "account"],
        update_fields=["followers", "following", "fetched_at"],
    )


def _write_batch(rows: Sequence[Row], day: date, at: datetime, counties: dict[str, RegionDay]) -> None:
    keys = [account for account, _followers, _following in rows]
    county_of = dict(CreatorAccount.objects.filter(pk__in=keys).values_list("pk", "trainee__county"))
    known = LatestReading.objects.in_bulk(keys)
    newest, crossings, leaps = [], [], []
    for account, followers, _following in rows:
        had = known.get(account)
        newest.append(_newest(account, followers, day, at, had))
        _count(counties[county_of[account]], had.followers if had else None, followers)
        if had is None:
            continue
        gained = followers - had.followers
        crossings += [
            Crossing(account_id=account, threshold=threshold, day=day, followers=followers)
            for threshold in THRESHOLDS
            if had.followers < threshold <= followers
        ]
        if had.growth is not None and gained >= max(LEAP, LEAP_SHARE * had.followers, LEAP_TIMES * had.growth):
            leaps.append(Spike(account_id=account, day=day, gained=gained, usual=had.growth))
    bulk_create_readings(rows, day, at)
    LatestReading.objects.bulk_create(newest, update_conflicts=True, unique_fields=["account"], update_fields=NEWEST)
    Crossing.objects.bulk_create(crossings, ignore_conflicts=True)
    Spike.objects.bulk_create(leaps, ignore_conflicts=True)


def _newest(account: int, followers: int, day: date, at: datetime, had: LatestReading | None) -> LatestReading:
    new = LatestReading(account_id=account, day=day, followers=followers, fetched_at=at, peak=followers)
    if had is not None:
        days = (day - had.day).days
        pace = (followers - had.followers) / days
        new.previous_day, new.previous_followers = had.day, had.followers
        new.growth = pace if had.growth is None else pace + MEMORY**days * (had.growth - pace)
        new.peak = max(had.peak, followers)
    return new


def _nothing(day: date) -> RegionDay:
    return RegionDay(day=day, accounts=0, followers=0, people=[0] * BINS, read=0, compared=0, growth=0)


def _count(county: RegionDay, before: int | None, followers: int) -> None:
    county.read += 1
    county.people[bisect_right(EDGES, followers)] += 1
    if before is None:
        county.accounts += 1
        county.followers += followers
        return
    county.people[bisect_right(EDGES, before)] -= 1
    county.followers += followers - before
    county.compared += 1
    county.growth += followers - before


def _write_regions(day: date, counties: dict[str, RegionDay]) -> None:
    changes: dict[str, RegionDay] = defaultdict(lambda: _nothing(day))
    above = Region.objects.filter(code__in=counties).values_list("code", "prefecture", "province")
    for code, prefecture, province in above:
        for region in {code, prefecture, province, COUNTRY} - {None}:
            _add(changes[region], counties[code])
    stood = RegionDay.objects.filter(code__in=changes, day__lte=day).order_by("code", F("day").desc()).distinct("code")
    for before in stood:
        change = changes[before.code]
        change.accounts += before.accounts
        change.followers += before.followers
        change.people = [a + b for a, b in zip(change.people, before.people, strict=True)]
    for code, change in changes.items():
        change.code = code
    RegionDay.objects.bulk_create(
        changes.values(),
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["code", "day"],
        update_fields=[*SUMS, "people"],
    )


def _add(total: RegionDay, one: RegionDay) -> None:
    for name in SUMS:
        setattr(total, name, getattr(total, name) + getattr(one, name))
    total.people = [a + b for a, b in zip(total.people, one.people, strict=True)]

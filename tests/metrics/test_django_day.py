"""The bench's baseline does the same day's work as ours: what both leave is compared."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from incubator.metrics.models import Crossing, LatestReading, Reading, RegionDay, Spike
from incubator.metrics.services.readings import write_readings
from tests.bench.django_day import write_day
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, region

pytestmark = pytest.mark.django_db
AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)
DAY = AT.date()


def left():
    """All that a day's work writes, but for keys that count on."""
    tables = {model: list(model.objects.order_by("pk").values()) for model in (Reading, LatestReading, RegionDay)}
    for model in (Crossing, Spike):
        names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        tables[model] = sorted(model.objects.values_list(*names))
    return tables


def test_both_leave_the_same():
    counties = [region("622927"), region("622926"), region("520526")]
    accounts = [CreatorAccountFactory(trainee=TraineeFactory(county=counties[n % 3])).pk for n in range(6)]
    before = [9_000, 99_000, 50_000, 700, 12_000]  # the last of them is read for the first time today
    for back in (2, 1):
        rows = [
            (pk, DAY - timedelta(days=back), followers, 30) for pk, followers in zip(accounts, before, strict=False)
        ]
        write_readings(rows, source="api", at=AT - timedelta(days=back))
    today = list(zip(accounts, [10_400, 101_000, 80_000, 650, 13_000, 42_000], strict=True))

    found = []
    for work in (
        lambda: write_readings([(pk, DAY, followers, 30) for pk, followers in today], source="api", at=AT),
        lambda: write_day([(pk, followers, 30) for pk, followers in today], DAY, AT),
    ):
        with transaction.atomic():
            work()
            found.append(left())
            transaction.set_rollback(True)

    ours, theirs = found
    assert ours == theirs
    assert ours[Crossing] and ours[Spike] and len(ours[Reading]) == 16

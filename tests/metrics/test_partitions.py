"""Months of readings: made ahead, nothing lost without one, closed ones indexed, old ones dropped."""

from datetime import date, datetime

import pytest
from django.core.management import call_command
from django.db import connection

from incubator.metrics.models import Reading
from incubator.metrics.partitions import ensure_partitions, months_in_rest, months_there
from incubator.metrics.services.readings import write_readings
from tests.factories import SHANGHAI, CreatorAccountFactory

pytestmark = pytest.mark.django_db

TODAY = date(2031, 12, 15)


def write(day, followers=5):
    account = CreatorAccountFactory()
    at = datetime(day.year, day.month, day.day, 3, tzinfo=SHANGHAI)
    write_readings([(account.pk, day, followers, None)], source="api", at=at)
    return account


def home_of(day):
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM metrics_reading WHERE day = %s", [day])
        return [name for (name,) in cursor.fetchall()]


def test_months_are_made_ahead_once():
    made = ensure_partitions(on=TODAY).made

    assert made == ["metrics_reading_203112", "metrics_reading_203201", "metrics_reading_203202"]
    assert ensure_partitions(on=TODAY).made == []


def test_a_reading_without_a_month_is_kept_and_moved_when_the_month_comes():
    write(TODAY, 41)
    write(date(2031, 11, 30), 42)
    assert home_of(TODAY) == ["metrics_reading_rest"]
    assert months_in_rest() == {date(2031, 12, 1), date(2031, 11, 1)}

    ensure_partitions(on=TODAY)

    assert home_of(TODAY) == ["metrics_reading_203112"] and home_of(date(2031, 11, 30)) == ["metrics_reading_203111"]
    assert months_in_rest() == set()
    assert sorted(Reading.objects.values_list("followers", flat=True)) == [41, 42]


def test_a_closed_month_is_indexed_by_account_and_an_open_one_is_not():
    ensure_partitions(on=date(2031, 10, 1))

    assert ensure_partitions(on=TODAY).indexed == ["metrics_reading_203110"]
    assert ensure_partitions(on=TODAY).indexed == []


def test_months_past_retention_are_dropped(settings):
    settings.READINGS_KEEP_MONTHS = 12
    write(date(2030, 11, 30))
    write(date(2030, 12, 1))

    assert ensure_partitions(on=TODAY).dropped == ["metrics_reading_203011"]
    assert list(Reading.objects.values_list("day", flat=True)) == [date(2030, 12, 1)]


def test_everything_is_kept_by_default():
    write(date(2011, 1, 5))
    assert ensure_partitions(on=TODAY).dropped == []
    assert date(2011, 1, 1) in months_there()


def test_the_command_says_what_is_missing_and_makes_it(capsys):
    call_command("ensure_partitions", dry_run=True)
    assert "Missing: 20" in capsys.readouterr().out

    call_command("ensure_partitions")
    assert "Made: metrics_reading_20" in capsys.readouterr().out
    call_command("ensure_partitions", dry_run=True)
    assert "Missing: none" in capsys.readouterr().out


@pytest.mark.parametrize("back", [0, 61, 62, 200])
def test_the_last_reading_up_to_a_day_is_found_however_old_it_is(back):
    """Within two months by the key, before that by the index of closed months."""
    day = date.fromordinal(TODAY.toordinal() - back)
    account = write(day, 77)
    ensure_partitions(on=TODAY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM metrics_reading_as_of(%s, %s)", [account.pk, TODAY])
        assert cursor.fetchall() == [(day, 77)]
        cursor.execute("SELECT * FROM metrics_reading_as_of(%s, %s::date - 1)", [account.pk, day])
        assert cursor.fetchall() == []

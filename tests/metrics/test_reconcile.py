"""What is kept beside the readings equals counting anew, whatever came in which order; and a difference is found."""

import random
from datetime import date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Max

from incubator.metrics.choices import Source
from incubator.metrics.models import (
    Correction,
    CreatorAccount,
    Crossing,
    LatestReading,
    QuarantinedReading,
    Reading,
    RegionDay,
)
from incubator.metrics.reconciliation import differences
from incubator.metrics.rollups import COUNTRY, THRESHOLDS, standing_of
from incubator.metrics.services.readings import accept_reading, reject_reading, write_readings
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, UserFactory, region
from tests.metrics.test_readings import assert_crossings_are_true, assert_newest_are_true, assert_regions_are_true

pytestmark = pytest.mark.django_db

DAY = date(2026, 8, 20)  # days run into a second month
DAYS = 24
AT = datetime(2026, 9, 20, 3, 0, tzinfo=SHANGHAI)
COUNTIES = ("622927", "622926", "620102", "520526", "522728")
FIGURES = (0, 900, 9_999, 10_000, 10_001, 15_000, 60_000, 99_000, 100_000, 130_000, 999_999, 1_000_000)


def on(days):
    return DAY + timedelta(days=days)


def people(count):
    """Accounts of that many people over five counties of four prefectures and two provinces; a third have two."""
    persons = [TraineeFactory(county=region(COUNTIES[n % len(COUNTIES)])) for n in range(count)]
    return [CreatorAccountFactory(trainee=persons[n % count]) for n in range(count * 4 // 3)]


def play(dice, accounts, rounds):
    """Days in any order, alone and together, again with other figures, from files; some of what is odd is decided."""
    staff = UserFactory()
    for n in range(rounds):
        some = dice.sample(accounts, dice.randint(1, len(accounts)))
        days = range(DAYS) if n % 2 else range(9, 12)  # three days that are told again and again
        rows = [
            (account.pk, on(dice.choice(days)), dice.choice(FIGURES) + dice.randrange(50), None) for account in some
        ]
        source = dice.choice([Source.API, Source.API, Source.FILE])
        write_readings(rows, source=source, at=AT + timedelta(minutes=dice.choice([n, -n])))
        held_back = list(QuarantinedReading.objects.open())
        for held in dice.sample(held_back, min(len(held_back), dice.randrange(3))):
            dice.choice([accept_reading, reject_reading])(held, by=staff)


def everything(**kwargs):
    return [one.sentence for one in differences(since=DAY, until=on(DAYS), **kwargs)]


@pytest.mark.parametrize("seed", range(6))
def test_what_is_kept_equals_counting_anew_whatever_the_order(seed):
    dice = random.Random(seed)
    play(dice, people(9), rounds=20)

    assert_regions_are_true()
    assert_newest_are_true()
    assert_crossings_are_true()
    assert everything() == []
    assert Correction.objects.exists() and QuarantinedReading.objects.exclude(state="open").exists()


@pytest.mark.parametrize("seed", range(3))
def test_people_over_each_threshold_are_those_of_live_sql(seed):
    play(random.Random(seed), people(9), rounds=8)
    for days in range(DAYS + 1):
        for code, path in ((COUNTRY, {}), ("620000", {"trainee__county__province": "620000"})):
            standing = standing_of(code, on=on(days))
            accounts = CreatorAccount.objects.filter(**path)
            peaks = {}
            for account in accounts:
                newest = account.readings.filter(day__lte=on(days)).order_by("-day").first()
                peaks[account.trainee_id] = max(peaks.get(account.trainee_id, 0), newest.followers if newest else 0)
            for threshold in THRESHOLDS:
                live = sum(peak >= threshold for peak in peaks.values())
                assert (standing.people_over(threshold) if standing else 0) == live


# A difference is found, said and put right


@pytest.fixture
def kept():
    """A person in each of two counties, read on three days; one of them reached 10,000 on the last."""
    one, two = (CreatorAccountFactory(trainee=TraineeFactory(county=region(code))) for code in COUNTIES[:4:3])
    for n in range(3):
        rows = [(one.pk, on(n), 9_000 + 500 * n, None), (two.pk, on(n), 50_000 + n, None)]
        write_readings(rows, source=Source.API, at=AT)
    return one, two


def reconcile(*args):
    out = StringIO()
    try:
        call_command("reconcile", *args, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue() + str(error)
    return 0, out.getvalue()


def spoil_region(**changes):
    assert RegionDay.objects.filter(code=COUNTIES[0], day=on(2)).update(**changes)


SPOILT = {
    "followers": (
        lambda: spoil_region(followers=1),
        "622927县 (622927) on 2026-08-22: followers kept 1, counted 10,000.",
    ),
    "accounts": (lambda: spoil_region(accounts=7), "accounts kept 7, counted 1."),
    "read": (lambda: spoil_region(read=0), "accounts read kept 0, counted 1."),
    "compared": (lambda: spoil_region(compared=0), "accounts read before too kept 0, counted 1."),
    "growth": (lambda: spoil_region(growth=-500), "followers gained kept -500, counted 500."),
    "people": (
        lambda: spoil_region(people=[1] + [0] * 96),
        "people with 10,000 to below 12,000 followers kept 0, counted 1.",
    ),
    "no day": (lambda: RegionDay.objects.filter(code="620000", day=on(2)).delete(), "nothing is kept"),
    "country": (
        lambda: RegionDay.objects.filter(code=COUNTRY, day=on(2)).update(followers=5),
        "the whole country (000000) on",
    ),
    "newest": (lambda: LatestReading.objects.update(followers=3), "kept 3 on 2026-08-22"),
    "no newest": (lambda: LatestReading.objects.all().delete(), "kept none; the readings say 10,000 on 2026-08-22"),
    "crossing": (lambda: Crossing.objects.all().delete(), "reaching 10,000 on 2026-08-22: kept is no crossing"),
    "made up": (
        lambda: Crossing.objects.update(threshold=100_000),
        "reaching 100,000 on 2026-08-22: kept is 10,000 followers, the readings say no crossing.",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_each_difference_is_said_and_put_right(kept, what):
    assert reconcile()[0] == 0
    spoil, sentence = SPOILT[what]
    spoil()

    code, said = reconcile()
    assert code == 1 and sentence in said, said

    assert reconcile("--fix", "--dry-run")[0] == 1 and reconcile()[0] == 1
    code, said = reconcile("--fix")
    assert code == 0, said
    assert everything() == []


def test_a_stale_day_of_an_empty_county_is_found_and_removed(kept):
    RegionDay.objects.create(
        code=region("622921").code, day=on(2), accounts=1, followers=1, people=[0] * 97, read=1, compared=0, growth=0
    )
    assert "a day is kept, and there are no readings" in reconcile()[1]
    assert reconcile("--fix")[0] == 0 and not RegionDay.objects.filter(code="622921").exists()


def test_a_day_and_a_region_narrow_what_is_compared(kept):
    spoil_region(followers=1)
    assert reconcile("--day", str(on(1)))[0] == 0
    assert reconcile("--county", COUNTIES[3])[0] == 0
    assert reconcile("--county", "520000")[0] == 0
    assert reconcile("--county", "620000")[0] == 1
    assert reconcile("--since", str(on(0)))[0] == 1
    assert reconcile("--county", "999999")[0] == 2


def test_the_county_of_a_person_who_moved_is_counted_anew(kept):
    one, _two = kept
    type(one.trainee).objects.filter(pk=one.trainee_id).update(county=region(COUNTIES[1]))
    assert reconcile("--since", str(DAY))[0] == 1
    assert reconcile("--since", str(DAY), "--fix")[0] == 0
    assert standing_of(COUNTIES[0], on=on(2)) is None and standing_of(COUNTIES[1], on=on(2)).followers == 10_000


def test_without_readings_there_is_nothing_to_compare():
    assert not Reading.objects.aggregate(day=Max("day"))["day"]
    assert reconcile() == (0, "There are no readings.\n")

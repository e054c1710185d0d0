"""Writing readings: history, newest readings, crossings, leaps and regions' days, told by plain Python beside it."""

from collections import defaultdict
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incubator.metrics.choices import QuarantineState, Source, Suspicion
from incubator.metrics.models import (
    Correction,
    CreatorAccount,
    Crossing,
    LatestReading,
    QuarantinedReading,
    Reading,
    RegionDay,
    Spike,
)
from incubator.metrics.rollups import COUNTRY, EDGES, standing_of
from incubator.metrics.services.readings import Written, accept_reading, reject_reading, write_readings
from tests.factories import SHANGHAI, CreatorAccountFactory, TraineeFactory, UserFactory, region

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)


def on(days):
    return DAY + timedelta(days=days)


def write(*rows, source=Source.API, at=AT):
    """``(account, days after DAY, followers)``."""
    return write_readings([(a.pk, on(d), f, None) for a, d, f in rows], source=source, at=at)


def history(account):
    return list(Reading.objects.filter(account=account).order_by("day").values_list("day", "followers"))


# --- One figure -------------------------------------------------------------------------------------------------------


def test_a_first_reading_is_history_and_newest():
    account = CreatorAccountFactory()

    assert write((account, 0, 500)) == Written(written=1)

    assert history(account) == [(DAY, 500)]
    latest = LatestReading.objects.get(account=account)
    assert (latest.day, latest.followers, latest.growth, latest.previous_day) == (DAY, 500, None, None)


def test_a_newest_reading_that_lags_behind_the_history_stops_nobody():
    account, other = CreatorAccountFactory(), CreatorAccountFactory()
    write((account, 0, 500), (account, 1, 600), (other, 0, 50))
    LatestReading.objects.filter(account=account).update(day=DAY, followers=500)

    write((account, 1, 650), (other, 1, 60))

    assert history(account) == [(DAY, 500), (on(1), 600)]
    assert history(other) == [(DAY, 50), (on(1), 60)]
    assert LatestReading.objects.get(account=other).day == on(1)


def test_growth_is_smoothed_over_the_days_between():
    account = CreatorAccountFactory()
    write((account, 0, 500))
    write((account, 2, 700))
    assert LatestReading.objects.get(account=account).growth == pytest.approx(100)

    write((account, 3, 900))

    latest = LatestReading.objects.get(account=account)
    assert latest.growth == pytest.approx(200 * 0.3 + 100 * 0.7)
    assert (latest.previous_day, latest.previous_followers) == (on(2), 700)


def test_the_same_figures_twice_change_nothing():
    account = CreatorAccountFactory()
    write((account, 0, 500), (account, 1, 600))
    before = tables()

    assert write((account, 0, 500), (account, 1, 600)) == Written(kept=2)

    assert tables() == before


def test_a_newer_answer_corrects_the_day_and_the_old_value_is_kept():
    account = CreatorAccountFactory()
    write((account, 0, 500))

    assert write((account, 0, 520), at=AT + timedelta(hours=1)) == Written(corrected=1)

    assert history(account) == [(DAY, 520)]
    correction = Correction.objects.get()
    assert (correction.old_followers, correction.new_followers, correction.day) == (500, 520, DAY)
    assert LatestReading.objects.get().followers == 520


def test_an_older_answer_never_replaces_a_newer_one():
    account = CreatorAccountFactory()
    write((account, 0, 500))

    assert write((account, 0, 480), at=AT - timedelta(seconds=1)) == Written(kept=1)

    assert history(account) == [(DAY, 500)] and not Correction.objects.exists()


def test_a_file_does_not_overrule_the_platform_but_the_platform_a_file():
    account = CreatorAccountFactory()
    write((account, 0, 500))
    assert write((account, 0, 550), source=Source.FILE, at=AT + timedelta(days=1)) == Written(kept=1)

    write((account, 1, 600), source=Source.FILE, at=AT + timedelta(days=1))
    assert write((account, 1, 610), at=AT + timedelta(days=2)) == Written(corrected=1)

    assert history(account) == [(DAY, 500), (on(1), 610)]


def test_a_late_day_fills_the_gap_and_leaves_the_newest_alone():
    account = CreatorAccountFactory()
    write((account, 0, 500))
    write((account, 4, 900))

    assert write((account, 2, 700), at=AT + timedelta(days=9)) == Written(written=1)

    assert history(account) == [(DAY, 500), (on(2), 700), (on(4), 900)]
    latest = LatestReading.objects.get()
    assert (latest.day, latest.followers, latest.previous_day, latest.previous_followers) == (on(4), 900, on(2), 700)


def test_an_unknown_account_is_left_out():
    assert write_readings([(987654321, DAY, 5, None)], source=Source.API, at=AT) == Written()
    assert not Reading.objects.exists()


# --- Crossings and leaps ----------------------------------------------------------------------------------------------


def test_reaching_a_threshold_is_a_crossing_and_being_over_it_is_not():
    account = CreatorAccountFactory()
    write((account, 0, 99_999))
    write((account, 1, 100_000))
    write((account, 2, 120_000))

    assert list(Crossing.objects.values_list("threshold", "day", "followers")) == [(100_000, on(1), 100_000)]


def test_a_late_day_moves_the_crossing_to_where_it_was():
    account = CreatorAccountFactory()
    write((account, 0, 90_000))
    write((account, 5, 130_000))
    assert Crossing.objects.get().day == on(5)

    write((account, 3, 101_000), at=AT + timedelta(days=9))

    assert Crossing.objects.get().day == on(3)


def test_a_leap_far_beyond_the_usual_is_noted():
    account, quiet = CreatorAccountFactory(), CreatorAccountFactory()
    write((account, 0, 40_000), (account, 1, 40_100), (account, 2, 40_200))
    write((quiet, 0, 40_000), (quiet, 1, 42_000), (quiet, 2, 44_000))

    write((account, 3, 60_200), (quiet, 3, 47_000))

    spike = Spike.objects.get()
    assert (spike.account, spike.day, spike.gained, round(spike.usual)) == (account, on(3), 20_000, 100)


def test_a_leap_is_noted_also_where_the_bin_stays():
    account = CreatorAccountFactory()
    write((account, 0, 10_100), (account, 1, 10_110), (account, 2, 10_120))

    write((account, 3, 11_900))

    assert Spike.objects.get().gained == 1_780


# --- Held back --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "figure", "why"),
    [
        (10_000, 5_000, Suspicion.DROP),
        (10_000, 0, Suspicion.DROP),
        (10_000, 100_000, Suspicion.RISE),
        (10_000, 5_001, None),
        (10_000, 99_999, None),
        (40, 5, None),
        (0, 150, Suspicion.RISE),
    ],
)
def test_an_odd_figure_is_held_back_and_is_no_fact(before, figure, why):
    account = CreatorAccountFactory()
    write((account, 0, before))

    written = write((account, 1, figure))

    held = QuarantinedReading.objects.first()
    assert (held and held.why) == why
    assert written == (Written(quarantined=1) if why else Written(written=1))
    assert len(history(account)) == (1 if why else 2)
    assert LatestReading.objects.get().followers == (before if why else figure)


def test_days_that_are_history_are_not_held_back_when_they_are_told_again():
    """A platform with history tells the same days every night, also those from before a rise that was confirmed."""
    account = CreatorAccountFactory()
    days = [(account, 0, 10_000), (account, 1, 200_000), (account, 2, 210_000)]
    write(*days[:2])
    write(days[2], at=AT + timedelta(hours=1))

    assert write(*days, at=AT + timedelta(days=1)) == Written(kept=3)
    assert write((account, 0, 10_500), source=Source.FILE, at=AT + timedelta(days=1)) == Written(kept=1)

    assert QuarantinedReading.objects.get().state == QuarantineState.ACCEPTED
    assert history(account) == [(DAY, 10_000), (on(1), 200_000), (on(2), 210_000)]


def test_the_next_day_confirms_what_was_held_back():
    account = CreatorAccountFactory()
    write((account, 0, 10_000))
    write((account, 1, 200_000))

    write((account, 2, 210_000), at=AT + timedelta(days=1))

    assert QuarantinedReading.objects.get().state == QuarantineState.ACCEPTED
    assert history(account) == [(DAY, 10_000), (on(1), 200_000), (on(2), 210_000)]
    assert_regions_are_true()


def test_an_answer_of_many_days_does_not_confirm_itself():
    """One night of nonsense from a platform that tells days back is no fact; the same from another night is."""
    account = CreatorAccountFactory()
    for day in range(7):
        write((account, day, 50_000), at=AT + timedelta(days=day))

    nonsense = [(account, day, 300) for day in range(1, 8)]
    write(*nonsense, at=AT + timedelta(days=7))
    assert history(account) == [(on(day), 50_000) for day in range(7)]

    write((account, 8, 310), at=AT + timedelta(days=8))
    assert history(account)[-2:] == [(on(7), 300), (on(8), 310)]


def test_a_file_does_not_confirm_what_the_platform_told():
    account = CreatorAccountFactory()
    write((account, 0, 10_000))
    write((account, 1, 200_000), at=AT + timedelta(days=1))

    write((account, 2, 210_000), source=Source.FILE, at=AT + timedelta(days=2))

    assert QuarantinedReading.objects.filter(state=QuarantineState.OPEN).count() == 2
    assert history(account) == [(DAY, 10_000)]


def test_a_leap_is_noted_also_where_the_other_account_was_read_first():
    """The figure is late only for the person: their other account has a newer reading."""
    one, other = CreatorAccountFactory(), CreatorAccountFactory()
    CreatorAccount.objects.filter(pk=other.pk).update(trainee=one.trainee)
    for day in range(3):
        write((one, day, 9_000 + day * 30), at=AT + timedelta(days=day))
    write((other, 4, 500), at=AT + timedelta(days=4))

    write((one, 3, 60_000), at=AT + timedelta(days=4))

    assert [(leap.account_id, leap.day) for leap in Spike.objects.all()] == [(one.pk, on(3))]
    assert LatestReading.objects.get(account=one).growth > 10_000
    assert_regions_are_true()


def test_the_next_day_contradicts_what_was_held_back():
    account = CreatorAccountFactory()
    write((account, 0, 10_000))
    write((account, 1, 3))

    write((account, 2, 10_100))

    assert QuarantinedReading.objects.get().state == QuarantineState.REJECTED
    assert history(account) == [(DAY, 10_000), (on(2), 10_100)]


def test_staff_accept_or_reject_what_was_held_back():
    staff, one, other = UserFactory(), CreatorAccountFactory(), CreatorAccountFactory()
    write((one, 0, 10_000), (other, 0, 10_000))
    write((one, 1, 4_000), (other, 1, 4_000))

    accept_reading(QuarantinedReading.objects.get(account=one), by=staff)
    reject_reading(QuarantinedReading.objects.get(account=other), by=staff)

    assert history(one) == [(DAY, 10_000), (on(1), 4_000)] and history(other) == [(DAY, 10_000)]
    assert_regions_are_true()


# --- Regions' days ----------------------------------------------------------------------------------------------------


def test_regions_count_people_and_followers_up_to_the_country():
    here, there = region("622927"), region("520526")
    one = CreatorAccountFactory(trainee=TraineeFactory(county=here))
    CreatorAccountFactory(trainee=one.trainee)
    two = CreatorAccountFactory(trainee=TraineeFactory(county=there))

    write((one, 0, 9_000), (two, 0, 50_000))
    write((one, 1, 12_000))

    country = standing_of(COUNTRY, on=on(7))
    assert (country.accounts, country.followers, country.people_over(10_000)) == (2, 62_000, 2)
    assert standing_of("620000", on=DAY).people_over(10_000) == 0
    assert standing_of("622927", on=on(1)).median == pytest.approx(12_000, rel=0.3)
    assert standing_of("622927", on=on(-1)) is None
    row = RegionDay.objects.get(code="620000", day=on(1))
    assert (row.read, row.compared, row.growth) == (1, 1, 3_000)


@pytest.mark.parametrize("smaller", [9_999, 20_000, 40_000, 70_000])
@pytest.mark.parametrize("larger", [50_000, 70_000, 500_001])
def test_a_person_counts_with_the_larger_account_whichever_moves(smaller, larger):
    """Ten times as much is held back, and counts for nobody."""
    one = CreatorAccountFactory()
    other = CreatorAccountFactory(trainee=one.trainee)
    write((one, 0, 8_000), (other, 0, 50_000))

    write((one, 1, smaller), (other, 1, larger))

    assert_regions_are_true()


def test_a_back_fill_counts_its_regions_anew_once():
    one = CreatorAccountFactory()
    write((one, 40, 9_000))
    second = CreatorAccountFactory(trainee=one.trainee)

    with CaptureQueriesContext(connection) as queries:
        write(*((second, day, 100 + day) for day in range(30)))

    assert sum(query["sql"].startswith("DELETE FROM metrics_regionday") for query in queries) == 2  # counties, above
    assert_regions_are_true()


def test_a_threshold_that_is_no_edge_is_refused():
    write((CreatorAccountFactory(), 0, 9_000))
    with pytest.raises(ValueError, match="edge"):
        standing_of(COUNTRY, on=DAY).people_over(12_345)


STEPS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 6), st.sampled_from([0, 900, 9_999, 10_000, 15_000, 99_000, 100_001])),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, together=st.integers(1, 9))
def test_regions_days_equal_counting_anew_whatever_the_order(steps, together):
    """Back-fills, corrections, people with two accounts, one figure or several days of them at a time: what is
    kept is what plain Python counts."""
    Reading.objects.all().delete()
    for table in (LatestReading, RegionDay, Crossing, QuarantinedReading, Spike, Correction):
        table.objects.all().delete()
    CreatorAccount.objects.all().delete()
    counties = [region("622927"), region("622926"), region("520526")]
    people = [TraineeFactory(county=counties[n % 3]) for n in range(4)]
    accounts = [CreatorAccountFactory(trainee=people[n % 4]) for n in range(6)]

    for n in range(0, len(steps), together):
        figures = [(accounts[account], day, followers) for account, day, followers in steps[n : n + together]]
        write(*figures, at=AT + timedelta(minutes=n))

    assert_regions_are_true()
    assert_newest_are_true()


def assert_newest_are_true():
    newest = {}
    for account, day, followers in Reading.objects.order_by("day").values_list("account_id", "day", "followers"):
        newest[account] = (day, followers, newest.get(account, (None, None))[:2])
    for latest in LatestReading.objects.all():
        before = (latest.previous_day, latest.previous_followers)
        assert newest[latest.account_id] == (latest.day, latest.followers, before)
    assert len(newest) == LatestReading.objects.count()
    assert_crossings_are_true()


def assert_crossings_are_true():
    expected, before = set(), {}
    for account, day, followers in Reading.objects.order_by("day").values_list("account_id", "day", "followers"):
        if account in before:
            expected |= {(account, day, t) for t in (10_000, 100_000, 1_000_000) if before[account] < t <= followers}
        before[account] = followers
    assert set(Crossing.objects.values_list("account_id", "day", "threshold")) == expected


def assert_regions_are_true():
    """Each kept day against a count in plain Python over the readings."""
    readings = defaultdict(dict)
    owners = {
        a.pk: (
            a.trainee_id,
            [a.trainee.county_id, a.trainee.county.prefecture_id, a.trainee.county.province_id, COUNTRY],
        )
        for a in CreatorAccount.objects.select_related("trainee__county")
    }
    for account, day, followers in Reading.objects.values_list("account_id", "day", "followers"):
        readings[account][day] = followers
    kept = {(row.code, row.day): row for row in RegionDay.objects.all()}
    events = {(code, day) for account, days in readings.items() for day in days for code in owners[account][1]}
    assert set(kept) == events
    for (code, day), row in kept.items():
        known, peaks, growth, read, compared = 0, defaultdict(int), 0, 0, 0
        total = 0
        for account, days in readings.items():
            person, codes = owners[account]
            past = sorted(d for d in days if d <= day)
            if code not in codes or not past:
                continue
            known, total = known + 1, total + days[past[-1]]
            peaks[person] = max(peaks[person], days[past[-1]])
            if past[-1] == day:
                read += 1
                if len(past) > 1:
                    compared, growth = compared + 1, growth + days[day] - days[past[-2]]
        bins = [0] * (len(EDGES) + 1)
        for peak in peaks.values():
            bins[sum(peak >= edge for edge in EDGES)] += 1
        assert (row.accounts, row.followers, row.people) == (known, total, bins), (code, day)
        assert (row.read, row.compared, row.growth) == (read, compared, growth), (code, day)


def tables():
    """Every row of what readings touch, but for its own number."""
    models = (Reading, LatestReading, Crossing, Spike, Correction, QuarantinedReading, RegionDay)
    return {m: sorted(map(str, m.objects.values())) for m in models}

"""Forecasts as they are written every night, and what they are learned from."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from incubator.certification.models import Candidate
from incubator.certification.services import evaluate, withdraw_award
from incubator.common.errors import RuleBroken
from incubator.forecasts import services
from incubator.forecasts.choices import LOOKED_AT, Band, NoForecast
from incubator.forecasts.history import readings, sampled_accounts, windows
from incubator.forecasts.jobs import KIND, ask_for_forecasts
from incubator.forecasts.method import GROUPS, HORIZONS, PRIOR
from incubator.forecasts.models import BackTest, Calibration, Forecast
from incubator.forecasts.queries import fan, kept_of, newest_back_test, table_on, when_sentence
from incubator.forecasts.services import keep, learn_where_due, make_forecasts, measure
from incubator.forecasts.tasks import forecast_today
from incubator.jobs.models import Job
from incubator.jobs.services import run
from incubator.metrics.models import CreatorAccount, Reading
from incubator.programmes.services import withdraw
from tests.factories import (
    BadgeFactory,
    CreatorAccountFactory,
    RuleFactory,
    TraineeFactory,
    approve,
    graduate_row,
    superuser,
)
from tests.forecasts.creators import restless_history
from tests.forecasts.world import TODAY, growing, learned, read, supported

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rule():
    return RuleFactory(followers=100_000)


def forecast(participation, **kwargs):
    make_forecasts(on=TODAY, **kwargs)
    return Forecast.objects.get(participation=participation)


def populate(history, *, until=TODAY, left=30):
    """Everybody of a history as a person in support."""
    people = [graduate_row(until - timedelta(days=300), days=300 + left) for _row in history]
    accounts = CreatorAccount.objects.bulk_create(
        CreatorAccount(trainee=p.trainee, handle=f"h{p.pk}", state="linked") for p in people
    )
    for account, row in zip(accounts, history, strict=True):
        read(account, [None if value != value else int(value) for value in row], until=until)
    return people


# --- What is said -----------------------------------------------------------------------------------------------------


def test_distance_days_need_and_pace_are_plain_sums():
    found = forecast(supported(growing(90_000, 250), left=50))

    assert (found.followers, found.goal, found.distance) == (90_000, 100_000, 10_000)
    assert (found.days_left, found.needed_per_day, found.pace) == (50, 200, 250)
    assert (found.read_on, found.as_of, found.support_ends_on) == (TODAY, TODAY, TODAY + timedelta(days=49))


def test_the_need_is_rounded_up_and_the_last_day_counts():
    found = forecast(supported(growing(99_990, 1), left=1))

    assert (found.days_left, found.needed_per_day, found.support_ends_on) == (1, 10, TODAY)


def test_the_expected_day_lies_in_its_range_and_goes_by_the_pace():
    learned()
    found = forecast(supported(growing(95_000, 250), left=90))

    assert found.reached_from < found.expected_on < found.reached_until
    assert found.expected_on == TODAY + timedelta(days=21)  # 20 days at the pace, and 3 % below it
    assert found.band == Band.ON_COURSE and found.chance > 0.9


PACES = (900, 680, 600, 0)  # of which the bands are the four, 40,000 short and with 59 days left


def test_bands_fall_with_the_pace():
    learned()
    people = [supported(growing(60_000, pace), left=59) for pace in PACES]
    make_forecasts(on=TODAY)

    bands = [Forecast.objects.get(participation=person).band for person in people]

    assert bands == [Band.ON_COURSE, Band.WITHIN_REACH, Band.NEEDS_HELP, Band.OUT_OF_REACH]


def test_far_away_no_day_is_named():
    found = forecast(supported(growing(20_000, 10), left=90))

    assert (found.expected_on, found.reached_from, found.reached_until) == (None, None, None)
    assert found.later_than == TODAY + timedelta(days=60)
    assert found.band == Band.OUT_OF_REACH


def test_strictly_more_asks_for_one_more(rule):
    RuleFactory(badge=rule.badge, version=2, is_strict=True)

    found = forecast(supported(growing(100_000, 100)))

    assert (found.goal, found.distance) == (100_001, 1)


def test_who_has_the_number_is_on_course_whatever_the_readings():
    found = forecast(supported([None, 100_000], left=30))

    assert (found.distance, found.band, found.chance, found.pace) == (0, Band.ON_COURSE, 1, None)
    assert found.is_reached and found.expected_on is None


def test_the_most_followed_account_counts():
    person = supported(growing(90_000, 250))
    small = CreatorAccountFactory(trainee=person.trainee)
    read(small, growing(500, 1))

    assert forecast(person).account != small


# --- What is not known ------------------------------------------------------------------------------------------------


def none_of(found):
    return (found.pace, found.chance, found.expected_on, found.reached_from, found.reached_until, found.band)


def test_without_an_account_nothing_is_said():
    found = forecast(supported(account=False))

    assert found.reason == NoForecast.NO_ACCOUNT
    assert set(none_of(found)) == {None, ""} and found.followers is None and found.distance is None


def test_an_account_that_was_never_read_has_no_zero():
    found = forecast(supported([]))

    assert found.reason == NoForecast.NOT_READ
    assert (found.followers, found.distance, found.needed_per_day, found.read_on) == (None, None, None, None)


def test_an_old_reading_tells_the_distance_and_nothing_of_the_future():
    fresh = supported([*growing(90_000, 250), *[None] * 14], left=50)
    old = supported([*growing(90_000, 250), *[None] * 15], left=50)
    older = supported([*growing(90_000, 250), *[None] * 40], left=50)
    make_forecasts(on=TODAY)

    assert Forecast.objects.get(participation=fresh).reason == ""
    for person, days in ((old, 15), (older, 40)):
        found = Forecast.objects.get(participation=person)
        assert (found.reason, found.distance, found.read_on) == (
            NoForecast.NOT_READ,
            10_000,
            TODAY - timedelta(days=days),
        )
        assert set(none_of(found)) == {None, ""}


def test_three_readings_are_not_enough():
    found = forecast(supported([90_000, None, None, None, None, 91_000, None, None, None, 92_000]))

    assert (found.reason, found.distance) == (NoForecast.TOO_FEW, 8_000)
    assert set(none_of(found)) == {None, ""}


def test_gaps_are_bridged_and_are_no_losses():
    values = growing(90_000, 250)
    for place in (8, 9, 10, 13, 14, 17):
        values[place] = None

    assert forecast(supported(values)).pace == 250


def test_an_old_reading_is_counted_from_its_own_day():
    learned()
    found = forecast(supported([*growing(98_000, 250), *[None] * 8], left=90))

    assert found.read_on == TODAY - timedelta(days=8)
    assert found.expected_on == TODAY + timedelta(days=1)  # 9 days after it
    assert found.reached_from == TODAY  # 7 days after it: none before today


# --- Whose ------------------------------------------------------------------------------------------------------------


def test_only_people_in_support_have_forecasts():
    inside = supported(growing(90_000, 250), left=1)
    over = graduate_row(TODAY - timedelta(days=200), days=200)
    to_come = graduate_row(TODAY + timedelta(days=1))
    gone = supported(growing(90_000, 250))
    withdraw(gone, by=superuser(), reason="搬家")

    assert make_forecasts(on=TODAY) == 1
    assert Forecast.objects.get().participation == inside
    assert {over.pk, to_come.pk, gone.pk}.isdisjoint(Forecast.objects.values_list("participation", flat=True))


def awarded(person):
    evaluate(on=TODAY)
    candidate = Candidate.objects.get(participation=person, state="pending")
    return approve(candidate, by=superuser(), on=TODAY, remark="核对")


def test_who_holds_the_badge_needs_no_forecast_until_it_is_withdrawn():
    person = supported(growing(100_000, 250))
    award = awarded(person)

    assert make_forecasts(on=TODAY) == 0
    withdraw_award(award, by=superuser(), reason="粉丝造假")
    assert make_forecasts(on=TODAY) == 1


def test_the_next_badge_is_the_lowest_not_held():
    RuleFactory(badge=BadgeFactory(), followers=1_000_000)
    beginner, leader = supported(growing(90_000, 250)), supported(growing(100_000, 250))
    awarded(leader)
    make_forecasts(on=TODAY)

    assert Forecast.objects.get(participation=beginner).goal == 100_000
    assert Forecast.objects.get(participation=leader).goal == 1_000_000


def test_without_a_rule_there_is_nothing_to_forecast(monkeypatch):
    supported(growing(90_000, 250))
    make_forecasts(on=TODAY)
    monkeypatch.setattr(services, "current_goals", list)

    assert make_forecasts(on=TODAY + timedelta(days=1)) == 0
    assert not Forecast.objects.exists()


# --- Twice, late, in chunks -------------------------------------------------------------------------------------------


def rows():
    return list(Forecast.objects.order_by("participation").values())


def test_twice_is_the_same():
    supported(growing(90_000, 250))
    supported(account=False)
    make_forecasts(on=TODAY)
    before = rows()

    assert make_forecasts(on=TODAY) == 2
    assert rows() == before


def test_a_late_run_of_an_earlier_day_changes_nothing_newer():
    person = supported(growing(90_000, 250))
    make_forecasts(on=TODAY)
    before = rows()

    make_forecasts(on=TODAY - timedelta(days=3))

    assert rows() == before and Forecast.objects.get().participation == person


def test_an_earlier_day_is_forecast_with_what_was_known_then():
    supported(growing(90_000, 250))
    make_forecasts(on=TODAY - timedelta(days=3))
    found = Forecast.objects.get()

    assert (found.followers, found.read_on) == (89_250, TODAY - timedelta(days=3))


def test_whose_support_is_over_is_forgotten_the_next_night():
    supported(growing(90_000, 250), left=1)
    make_forecasts(on=TODAY)
    assert Forecast.objects.count() == 1

    make_forecasts(on=TODAY + timedelta(days=1))

    assert Forecast.objects.count() == 0


def test_chunks_join_without_a_seam(monkeypatch):
    people = [supported(growing(50_000 + 1_000 * n, 100 + n)) for n in range(7)]
    make_forecasts(on=TODAY)
    whole, heard = rows(), []
    Forecast.objects.all().delete()
    monkeypatch.setattr(services, "CHUNK", 3)

    assert make_forecasts(on=TODAY, say=heard.append) == 7
    assert heard == [3, 6, 7]
    assert [{**row, "id": 0} for row in rows()] == [{**row, "id": 0} for row in whole]
    assert len(people) == 7


def test_queries_do_not_grow_with_people():
    used = []
    for count in (1, 29):
        for n in range(count):
            supported(growing(90_000 + n, 250))
        with CaptureQueriesContext(connection) as captured:
            make_forecasts(on=TODAY)
        used.append(len(captured))

    assert used[0] == used[1]


def test_two_people_who_share_nothing_do_not_share_numbers():
    """Rows come back from the database in any order; each finds its own account."""
    people = {
        supported(growing(last, pace)).pk: (last, pace) for last, pace in ((90_000, 9), (20_000, 500), (70_000, 1))
    }
    make_forecasts(on=TODAY)

    assert {row.participation_id: (row.followers, row.pace) for row in Forecast.objects.all()} == people


# --- Background work --------------------------------------------------------------------------------------------------


def test_the_nightly_task_asks_for_one_job_that_learns_and_forecasts(django_capture_on_commit_callbacks):
    populate(restless_history(1, accounts=40, days=60, unread=0))
    forecast_today()
    forecast_today()
    job = Job.objects.get(kind=KIND)

    run(job.pk)

    job.refresh_from_db()
    assert (job.state, job.done, job.total) == ("done", 40, 40)
    assert job.result["learned"] and sum(job.result["bands"].values()) == 40
    assert Calibration.objects.filter(fitted_on=TODAY).count() == len(HORIZONS) * GROUPS


def test_the_job_runs_twice():
    supported(growing(90_000, 250))
    for _time in range(2):
        run(ask_for_forecasts(on=TODAY).pk)

    assert Job.objects.filter(kind=KIND, state="done").count() == 2
    assert Forecast.objects.count() == 1


# --- Learning ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def history():
    """50 accounts over 100 days; up to 30 days ahead that is enough to learn from."""
    return restless_history(3, accounts=50, days=100, unread=0.1)


def test_what_is_kept_is_what_was_measured(history):
    populate(history)
    measured = measure(on=TODAY)
    keep(measured)

    table = table_on(TODAY)
    assert (table.scores == measured.learned.table.scores).all()
    assert (table.is_calibrated == measured.learned.table.is_calibrated).all()
    assert table.is_calibrated[:3].all() and not table.is_calibrated[3].any()
    week = BackTest.objects.get(horizon=7)
    own = measured.tested.of(7, calibrated=True)
    assert (week.cases, week.held, week.accounts) == (len(own), own.is_held.sum(), 50)
    assert week.until <= TODAY - timedelta(days=7)
    groups = Calibration.objects.filter(horizon=7)
    assert sum(row.tested for row in groups) == week.cases
    assert sum(round(row.tested * row.coverage) for row in groups if row.tested) == week.held
    kept = kept_of(newest_back_test())
    assert kept.cases == sum(BackTest.objects.filter(horizon__gt=0).values_list("cases", flat=True))
    assert kept.measured_on == TODAY


def test_keeping_twice_is_the_same(history):
    populate(history)
    for _time in range(2):
        keep(measure(on=TODAY))

    assert Calibration.objects.count() == len(HORIZONS) * GROUPS
    assert BackTest.objects.count() == len(HORIZONS) + 1


def test_later_calibrations_are_not_used_for_earlier_days(history):
    populate(history)
    keep(measure(on=TODAY))

    assert (table_on(TODAY - timedelta(days=1)).scores == PRIOR).all()
    assert not (table_on(TODAY + timedelta(days=5)).scores == PRIOR).all()


def test_learning_does_not_look_beyond_its_day(history):
    populate(history)
    on = TODAY - timedelta(days=10)
    before = measure(on=on)
    Reading.objects.filter(day__gt=on).update(followers=7)

    assert (measure(on=on).learned.table.scores == before.learned.table.scores).all()


def test_without_readings_there_is_nothing_to_learn_from():
    supported([])

    with pytest.raises(RuleBroken, match="no readings"), override("en"):
        measure(on=TODAY)
    assert not learn_where_due(on=TODAY)
    assert not Calibration.objects.exists()


def test_people_out_of_support_teach_nothing():
    outside = CreatorAccountFactory(trainee=TraineeFactory())
    read(outside, growing(90_000, 10))
    inside = supported(growing(90_000, 10))

    found = sampled_accounts(first=TODAY - timedelta(days=30), last=TODAY, most=10)

    assert found.tolist() == list(inside.trainee.accounts.values_list("pk", flat=True))


def test_learning_is_due_nightly_while_history_is_short_and_weekly_after(history):
    populate(history)

    assert learn_where_due(on=TODAY)
    assert not learn_where_due(on=TODAY)  # the same night
    assert learn_where_due(on=TODAY + timedelta(days=1))  # 60 days ahead are not learned yet
    Calibration.objects.update(is_calibrated=True)
    assert not learn_where_due(on=TODAY + timedelta(days=7))
    assert learn_where_due(on=TODAY + timedelta(days=8))


def test_forecasts_say_whether_their_range_rests_on_history(history):
    people = populate(history, left=14)
    far = populate(history[:1], left=40)
    keep(measure(on=TODAY))
    make_forecasts(on=TODAY)

    near = Forecast.objects.filter(participation__in=people).exclude(pace=None)
    assert near.count() > 40 and all(near.values_list("is_calibrated", flat=True))
    assert not Forecast.objects.get(participation__in=far).is_calibrated


# --- Matrix -----------------------------------------------------------------------------------------------------------


def test_readings_come_as_a_matrix_in_the_order_asked_for():
    one, other = CreatorAccountFactory(), CreatorAccountFactory()
    read(one, [5, None, 7])
    read(other, [2_000_000_000, 2])
    accounts = np.array([other.pk, one.pk])

    found = readings(accounts, first=TODAY - timedelta(days=2), last=TODAY)

    assert np.array_equal(found, [[np.nan, 2_000_000_000, 2], [5, np.nan, 7]], equal_nan=True)
    assert readings(np.zeros(0, np.int64), first=TODAY, last=TODAY).shape == (0, 1)


def test_windows_end_with_the_last_reading():
    nan = np.nan
    cut, age = windows(np.array([[1, 2, nan, 4, nan], [nan] * 5, [5, nan, nan, nan, nan]]), 2)

    assert age.tolist() == [1, -1, 4]
    assert np.array_equal(cut, [[2, nan, 4], [nan] * 3, [nan, nan, 5]], equal_nan=True)


# --- What the database holds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"band": ""},
        {"reason": "too_few"},
        {"chance": None},
        {"chance": 1.2},
        {"pace": None},
        {"expected_on": TODAY - timedelta(days=400)},
        {"reached_until": TODAY - timedelta(days=400)},
        {"followers": None},
    ],
    ids=str,
)
def test_half_a_forecast_is_refused(changes):
    found = forecast(supported(growing(95_000, 250)))

    with pytest.raises(IntegrityError), transaction.atomic():
        Forecast.objects.filter(pk=found.pk).update(**changes)


def test_staff_look_where_help_decides_most_first():
    learned()
    for pace in reversed(PACES):
        supported(growing(60_000, pace), left=59)
    supported(account=False)
    supported(growing(99_000, 0), left=3)
    make_forecasts(on=TODAY)

    found = list(Forecast.objects.values_list("band", "days_left"))

    assert [band for band, _days in found] == [*LOOKED_AT, Band.OUT_OF_REACH]
    assert [days for band, days in found if band == Band.OUT_OF_REACH] == [3, 59]


# --- In words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "begins"),
    [
        ((3, 9, 20), "about"),
        ((3, 9, None), "about"),
        ((3, None, None), "not before"),
        ((None, None, None), "later than"),
    ],
    ids=str,
)
def test_days_are_told_with_their_range(days, begins):
    first, expected, last = (None if n is None else TODAY + timedelta(days=n) for n in days)
    found = Forecast(
        band="needs_help",
        distance=5,
        read_on=TODAY,
        reached_from=first,
        expected_on=expected,
        reached_until=last,
    )
    with override("en"):
        sentence = when_sentence(found)

    assert sentence.startswith(begins)
    assert ("perhaps only after" in sentence) == (first is not None and last is None)


def test_the_fan_opens_from_where_the_account_stands():
    found = forecast(supported(growing(90_000, 250)))
    with override("en"):
        drawing = fan(found)

    assert drawing.count("<polyline") == 3 and "lower end of the range" in drawing
    assert fan(forecast(supported(account=False))) == ""

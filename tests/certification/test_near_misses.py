"""Who narrowly missed a number: found around the end of the period, closed by people or by becoming a candidate."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incubator.certification.models import Award, Candidate, Flag, NearMiss
from incubator.certification.services import close_near_miss, evaluate, find_near_misses
from incubator.common.errors import RuleBroken, Stale
from incubator.metrics.models import CreatorAccount, Reading
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests import factories
from tests.certification.test_explaining import FIRST, GRADUATED, LAST, NO_FLAG, followers, graduate, rule_of

pytestmark = pytest.mark.django_db

AFTER = LAST + timedelta(days=20)
WEEK = range(23, 30)  # the last seven days, counted from the first


@pytest.fixture
def rule():
    return rule_of({"all": [GRADUATED, followers()]})


def found(on=AFTER):
    """Kinds of what is found, by person."""
    find_near_misses(on=on)
    return list(NearMiss.objects.values_list("kind", flat=True))


def every_day(number):
    return [(day, number) for day in WEEK]


def test_99_000_on_the_last_day_is_close(rule):
    person = graduate(*every_day(98_000)[:-1], (29, 99_000))

    assert find_near_misses(on=AFTER) == 1

    miss = NearMiss.objects.get()
    assert (miss.kind, miss.rule, miss.participation) == ("close", rule, person)
    assert (miss.best, miss.best_day, miss.ended_on) == (99_000, LAST, LAST)
    assert (miss.after, miss.after_day, miss.found_on) == (None, None, AFTER)


@pytest.mark.parametrize(
    ("readings", "kinds"),
    [
        (every_day(98_999), []),
        (every_day(99_000), ["close"]),
        (every_day(99_999), ["close"]),
        (every_day(100_000), []),  # meets it
        ([(22, 99_500), *every_day(98_000)], []),  # before the last week
        ([*every_day(96_999)[:-1]], []),  # the last day unread, and far from it
        ([*every_day(97_000)[:-1]], ["unread"]),
        ([*every_day(96_000)[:-1], (30, 100_000)], ["unread"]),
        ([*every_day(96_000)[:-1], (30, 99_999), (31, 100_000)], []),  # the first afterwards counts
        ([*every_day(96_000)[:-1], (43, 100_000)], ["unread"]),  # 14 days after the end
        ([*every_day(96_000)[:-1], (44, 100_000)], []),
        ([*every_day(96_000), (30, 100_000)], []),  # every day was read
        ([(5, 97_500)], ["unread"]),
    ],
)
def test_edges_of_both_kinds(rule, readings, kinds):
    graduate(*readings)

    assert found() == kinds


def test_a_strict_number_is_missed_by_one():
    rule_of({"all": [GRADUATED, followers(strict=True)]})
    graduate(*every_day(100_000))

    assert found() == ["close"]


def test_a_number_near_the_index_is_found_too():
    rule_of({"all": [GRADUATED, followers(10_000)]})
    graduate(*every_day(9_900))

    assert found() == ["close"]


@pytest.mark.parametrize(("days", "kinds"), [(0, []), (1, ["close"]), (60, ["close"]), (61, [])])
def test_a_period_is_looked_at_for_sixty_days_after_its_end(rule, days, kinds):
    graduate(*every_day(99_500))

    assert found(LAST + timedelta(days=days)) == kinds


def test_periods_of_cohorts_end_too():
    rule_of({"all": [GRADUATED, followers(when="cohort")]})
    cohort = factories.CohortFactory(starts_on=FIRST, ends_on=LAST)
    graduate(*every_day(99_500), days=300, cohort=cohort)
    graduate(*every_day(99_500), days=30)  # its cohort goes on

    assert found() == ["close"]
    assert NearMiss.objects.get().participation.cohort == cohort


def test_all_else_must_be_met_but_questions_that_are_open():
    rule_of({"all": [GRADUATED, followers(), NO_FLAG]})
    person = graduate(*every_day(99_500))
    Flag.objects.create(account=CreatorAccount.objects.get(), kind="inflation", day=FIRST)
    Participation.objects.update(state=ParticipationState.TRAINING)
    assert found() == []
    Participation.objects.filter(pk=person.pk).update(state=ParticipationState.GRADUATED)
    assert found() == ["close"]


def test_class_hours_that_are_missing_are_missing():
    rule_of({"all": [followers(), {"kind": "class_hours", "number": "8.0"}]})
    graduate(*every_day(99_500))

    assert found() == []


def test_who_meets_it_otherwise_missed_nothing():
    rule_of({"any": [followers(), {"all": [GRADUATED, followers(90_000)]}]})
    graduate(*every_day(99_500))

    assert found() == []


def test_the_account_nearer_to_the_number_is_named(rule):
    person = graduate(*every_day(99_100))
    better = factories.CreatorAccountFactory(trainee=person.trainee)
    for day, number in every_day(99_800):
        factories.reading(better, FIRST + timedelta(days=day), number)

    assert found() == ["close"]
    assert NearMiss.objects.get().account == better


def test_finding_twice_finds_nobody_twice_and_learns_of_the_first_reading_after(rule):
    graduate(*every_day(97_500)[:-1])
    assert find_near_misses(on=LAST + timedelta(days=1)) == 1
    factories.reading(CreatorAccount.objects.get(), LAST + timedelta(days=2), 101_000)

    assert [find_near_misses(on=LAST + timedelta(days=3)) for _n in range(2)] == [0, 0]

    miss = NearMiss.objects.get()
    assert (miss.after, miss.after_day, miss.found_on) == (101_000, LAST + timedelta(days=2), LAST + timedelta(days=1))


def test_it_never_leads_to_a_badge_by_itself(rule):
    graduate(*every_day(97_500)[:-1], (30, 150_000))
    find_near_misses(on=AFTER)

    assert evaluate(on=AFTER) == 0
    assert not Candidate.objects.exists() and not Award.objects.exists()


def test_it_closes_when_the_person_becomes_a_candidate(rule):
    graduate(*every_day(97_500)[:-1])
    find_near_misses(on=AFTER)
    factories.reading(CreatorAccount.objects.get(), LAST, 100_000)  # the figure was brought
    assert evaluate(on=AFTER) == 1

    assert find_near_misses(on=AFTER) == 0

    miss = NearMiss.objects.get()
    assert miss.closed_at and miss.closing and miss.closed_by is None
    Reading.objects.filter(day=LAST).delete()
    Candidate.objects.update(state="refused", decided_by=factories.UserFactory(), decided_at=miss.closed_at, reason="x")
    assert find_near_misses(on=AFTER) == 0
    assert NearMiss.objects.open().count() == 0


def test_a_person_closes_it_once_and_says_what_was_found(rule):
    graduate(*every_day(99_500))
    find_near_misses(on=AFTER)
    miss, by = NearMiss.objects.get(), factories.UserFactory()
    with pytest.raises(RuleBroken):
        close_near_miss(miss, by=by, finding=" ")

    close_near_miss(miss, by=by, finding="平台当日无数据")

    assert (miss.closed_by, miss.closing) == (by, "平台当日无数据")
    with pytest.raises(Stale):
        close_near_miss(miss, by=by, finding="x")
    assert find_near_misses(on=AFTER) == 0 and not NearMiss.objects.open().exists()


def test_statements_do_not_grow_with_people(rule):
    used = []
    for _n in (1, 30):
        for _m in range(_n):
            graduate(*every_day(99_500))
        with CaptureQueriesContext(connection) as captured:
            find_near_misses(on=AFTER)
        used.append(len(captured))

    assert used[0] == used[1]
    assert NearMiss.objects.count() == 31


def test_rows_are_seen_by_region(rule):
    graduate(*every_day(99_500), trainee=factories.TraineeFactory(county=factories.region("622926")))
    find_near_misses(on=AFTER)

    assert NearMiss.objects.visible_to(factories.official("622926")).count() == 1
    assert NearMiss.objects.visible_to(factories.official("622927")).count() == 0
    assert date(2026, 7, 20) == AFTER

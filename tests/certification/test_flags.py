"""Questions about followers: which are raised from readings, reported, cleared, and what that does to a candidate."""

from datetime import date, timedelta

import pytest

from incubator.certification.models import Candidate, Flag, Work
from incubator.certification.services import (
    clear_flag,
    evaluate,
    note_work,
    raise_flags,
    report_flag,
    take_back_work,
)
from incubator.certification.tasks import evaluate_today
from incubator.common.errors import RuleBroken, Stale
from incubator.grants.models import Grant
from incubator.metrics.models import Spike
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from tests import factories

pytestmark = pytest.mark.django_db

FIRST = date(2026, 6, 1)  # day of graduation, first day of support
LAST = FIRST + timedelta(days=179)
LATER = date(2027, 6, 1)
DAY = timedelta(days=1)


@pytest.fixture
def staff():
    return factories.UserFactory()


@pytest.fixture
def account():
    """Of a graduate in support."""
    person = factories.graduate_row(FIRST)
    return factories.CreatorAccountFactory(trainee=person.trainee)


def leap(account, day):
    return Spike.objects.create(account=account, day=day, gained=20_000, usual=100)


def kinds():
    return list(Flag.objects.order_by("day").values_list("kind", "day", "change"))


# Inflation


def test_an_unexplained_leap_is_asked_about_once(account):
    leap(account, FIRST)
    assert [raise_flags(on=LATER), raise_flags(on=LATER)] == [1, 0]
    assert kinds() == [("inflation", FIRST, 20_000)]


def test_a_cleared_question_does_not_come_back(account, staff):
    leap(account, FIRST)
    raise_flags(on=LATER)
    clear_flag(Flag.objects.get(), by=staff, reason="Seen on television")
    assert raise_flags(on=LATER) == 0
    assert not Flag.objects.open().exists()


@pytest.mark.parametrize(("days", "is_asked"), [(-1, True), (0, False), (29, False), (30, True)])
def test_a_grant_explains_a_leap_while_its_traffic_runs(account, staff, days, is_asked):
    on = FIRST + 60 * DAY
    Grant.objects.create(
        pool=factories.TrafficPoolFactory(),
        participation=account.trainee.participations.get(),
        impressions=10,
        state="approved",
        proposed_by=staff,
        proposed_on=on - days * DAY,
        approved_on=on - days * DAY,
    )
    leap(account, on)
    assert raise_flags(on=LATER) == is_asked


@pytest.mark.parametrize(
    ("day", "is_asked"),
    [(date(2026, 2, 28), False), (date(2026, 3, 1), True), (LAST, True), (LAST + DAY, False)],
)
def test_leaps_from_the_cohorts_first_day_to_the_end_of_support_are_asked_about(account, day, is_asked):
    leap(account, day)
    assert raise_flags(on=LATER) == is_asked


def test_a_leap_to_come_is_not_asked_about_yet(account):
    leap(account, FIRST)
    assert [raise_flags(on=FIRST - DAY), raise_flags(on=FIRST)] == [0, 1]


@pytest.mark.parametrize(
    ("state", "is_asked"),
    [
        (ParticipationState.NOMINATED, False),
        (ParticipationState.ADMITTED, True),
        (ParticipationState.CONCLUDED, True),
        (ParticipationState.WITHDRAWN, False),
    ],
)
def test_only_people_who_are_judged_are_asked_about(account, state, is_asked):
    Participation.objects.update(state=state)
    leap(account, FIRST)
    assert raise_flags(on=LATER) == is_asked


def test_a_leap_of_an_account_of_nobody_in_a_cohort_is_not_asked_about():
    leap(factories.CreatorAccountFactory(), FIRST)
    assert raise_flags(on=LATER) == 0


# Regression


@pytest.fixture
def candidate(account):
    factories.RuleFactory()
    factories.reading(account, FIRST, 100_000)
    evaluate(on=FIRST)
    return Candidate.objects.get()


def test_falling_below_the_number_is_asked_about(candidate):
    factories.reading(candidate.account, FIRST + DAY, 99_999)
    factories.reading(candidate.account, FIRST + 2 * DAY, 99_000)
    assert [raise_flags(on=FIRST), raise_flags(on=FIRST + 2 * DAY), raise_flags(on=FIRST + 2 * DAY)] == [0, 1, 0]
    assert kinds() == [("regression", FIRST + DAY, -1)]


def test_staying_at_the_number_is_not(candidate):
    factories.reading(candidate.account, FIRST + DAY, 100_000)
    assert raise_flags(on=LATER) == 0


@pytest.mark.parametrize("state", ["approved", "refused", "lapsed"])
def test_who_is_no_open_candidate_is_not_asked_about(candidate, staff, state):
    decided = {"proposed_by": staff, "decided_by": factories.UserFactory(), "reason": "x"}
    Candidate.objects.update(state=state, decided_at="2026-07-01T00:00Z", **decided)
    factories.reading(candidate.account, FIRST + DAY, 99_999)
    assert raise_flags(on=LATER) == 0


def test_a_new_fall_is_asked_about_once_the_last_was_cleared(candidate, staff):
    factories.reading(candidate.account, FIRST + DAY, 99_999)
    raise_flags(on=LATER)
    factories.reading(candidate.account, FIRST + 2 * DAY, 100_000)
    factories.reading(candidate.account, FIRST + 3 * DAY, 99_000)
    assert raise_flags(on=LATER) == 0  # one question at a time
    clear_flag(Flag.objects.get(), by=staff, reason="The platform removed idle accounts")
    Flag.objects.update(cleared_at="2026-06-05T00:00+08:00")
    assert raise_flags(on=LATER) == 0  # who cleared it saw the second fall
    factories.reading(candidate.account, date(2026, 6, 6), 100_000)
    factories.reading(candidate.account, date(2026, 6, 7), 90_000)
    assert raise_flags(on=LATER) == 1
    assert kinds()[-1] == ("regression", date(2026, 6, 7), -10_000)


# Reported and cleared


def test_a_report_says_what_was_seen_and_is_made_once_a_day(account, staff):
    with pytest.raises(RuleBroken):
        report_flag(account, day=FIRST, note=" ", by=staff)
    flag = report_flag(account, day=FIRST, note="Bought followers, a neighbour says", by=staff)
    assert (flag.kind, flag.raised_by, flag.cleared_at) == ("reported", staff, None)
    with pytest.raises(RuleBroken):
        report_flag(account, day=FIRST, note="Again", by=staff)


def test_a_question_is_cleared_once_and_with_a_reason(account, staff):
    flag = report_flag(account, day=FIRST, note="Odd", by=staff)
    with pytest.raises(RuleBroken):
        clear_flag(flag, by=staff, reason="  ")
    clear_flag(flag, by=staff, reason="Looked at every film")
    with pytest.raises(Stale):
        clear_flag(flag, by=staff, reason="Again")
    assert Flag.objects.get().clearance == "Looked at every film"


def test_a_rule_that_asks_for_no_question_waits_for_the_answer(account, staff):
    rule = factories.RuleFactory()
    conditions = {"all": [*rule.conditions["all"], {"kind": "no_open_flag"}]}
    factories.RuleFactory(badge=rule.badge, version=2, conditions=conditions)
    factories.reading(account, FIRST, 150_000)
    leap(account, FIRST)
    raise_flags(on=LATER)
    assert evaluate(on=LATER) == 0
    clear_flag(Flag.objects.get(), by=staff, reason="Believed")
    assert evaluate(on=LATER) == 1


def test_the_nightly_task_asks_first_and_may_run_twice(account):
    rule = factories.RuleFactory()
    factories.RuleFactory(
        badge=rule.badge, version=2, conditions={"all": [*rule.conditions["all"], {"kind": "no_open_flag"}]}
    )
    factories.reading(account, FIRST, 150_000)
    leap(account, FIRST)
    evaluate_today()
    evaluate_today()
    assert (Flag.objects.count(), Candidate.objects.count()) == (1, 0)


# Works


def test_a_work_is_noted_once_and_taken_back_with_a_reason(staff):
    trainee = factories.TraineeFactory()
    seen = {"title": "花椒", "address": "https://example.org/1", "published_on": FIRST, "by": staff}
    work = note_work(trainee, **seen)
    with pytest.raises(RuleBroken):
        note_work(trainee, **seen)
    with pytest.raises(RuleBroken):
        take_back_work(work, by=staff, reason=" ")
    take_back_work(work, by=staff, reason="Somebody else's film")
    with pytest.raises(Stale):
        take_back_work(work, by=staff, reason="Again")
    assert not Work.objects.counted().exists()
    note_work(trainee, **seen)  # the note that was taken back is in nobody's way


def test_a_work_of_a_day_to_come_is_not_noted(staff):
    with pytest.raises(RuleBroken):
        note_work(factories.TraineeFactory(), title="x", address="https://example.org/1", published_on=LATER, by=staff)

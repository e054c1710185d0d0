"""Reminders of a support period's end: at 30, 14 and 3 days, once each, late, and only while they are true."""

from datetime import datetime, time

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incubator.certification.models import Award, Candidate
from incubator.certification.services import withdraw_award
from incubator.programmes.choices import SupportReminderEnd as End
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.reminders import mark_support_reminder_seen, remind_support
from incubator.programmes.services import take_back_graduation, withdraw
from incubator.programmes.tasks import keep_support
from tests import factories
from tests.programmes.world import FIRST, LAST, days, ends_on, extend, graduate, pause, resume, take_back

pytestmark = pytest.mark.django_db


def at(day):
    return datetime.combine(day, time(0, 5), factories.SHANGHAI)


def run(before):
    """The night of so many days before the end as given; how many reminders it made."""
    on = LAST - days(before)
    return remind_support(on=on, at=at(on))


def reminders():
    """What there is, the oldest first: stage, days from the end as given, and why it is closed."""
    rows = SupportReminder.objects.order_by("pk")
    return [(row.stage, (row.ends_on - LAST).days, row.outcome) for row in rows]


@pytest.fixture
def staff():
    return factories.UserFactory()


@pytest.fixture
def person():
    return graduate()


def test_each_stage_is_made_on_its_day_and_follows_the_one_before(person):
    made = {before: run(before) for before in range(40, -3, -1)}

    assert {before for before, count in made.items() if count} == {30, 14, 3}
    assert reminders() == [(30, 0, End.NEXT), (14, 0, End.NEXT), (3, 0, End.OVER)]
    assert [row.due_on for row in SupportReminder.objects.order_by("pk")] == [LAST - days(n) for n in (30, 14, 3)]


@pytest.mark.parametrize("before", [30, 14, 3, 0])
def test_run_twice_it_changes_nothing(person, before):
    run(before)
    rows = list(SupportReminder.objects.values())

    assert (run(before), list(SupportReminder.objects.values())) == (0, rows)


@pytest.mark.parametrize(("before", "stage"), [(29, 30), (15, 30), (13, 14), (4, 14), (2, 3), (0, 3)])
def test_late_only_the_newest_stage_is_made(person, before, stage):
    assert run(before) == 1
    assert reminders() == [(stage, 0, "")]
    assert SupportReminder.objects.get().due_on == LAST - days(stage)


def test_the_night_closes_what_was_changed_past_the_services(staff):
    gone, still = graduate(), graduate()
    run(30)
    Participation.objects.filter(pk=gone.pk).update(state="withdrawn")
    Participation.objects.filter(pk=still.pk).update(support_base_ends_on=LAST)
    since = {"first_day": LAST - days(29), "last_day": LAST, "is_open": True}
    SupportChange.objects.create(participation=still, kind="pause", cause="illness", reason="住院", by=staff, **since)

    assert run(29) == 0

    assert dict(SupportReminder.objects.values_list("participation", "outcome")) == {
        gone.pk: End.ENDED, still.pk: End.PAUSED,
    }  # fmt: skip


def test_a_period_that_has_not_begun_is_not_reminded_of(person):
    Participation.objects.filter(pk=person.pk).update(support_starts_on=LAST - days(9))

    assert (run(10), run(9)) == (0, 1)


def test_before_and_after_there_is_none(person):
    assert run(31) == run(-1) == 0


def test_an_extension_closes_the_reminder_and_the_new_end_is_reminded_of(person, staff):
    run(14)
    extend(person, 20, by=staff, on=LAST - days(10))
    assert reminders() == [(14, 0, End.MOVED)]  # at once, not the next night
    assert run(10) == 1
    assert reminders()[1:] == [(30, 20, "")]

    take_back(person.support_changes.get(), by=staff, on=LAST - days(9))
    assert run(9) == 1  # the same stage of the same end as once before
    assert reminders()[1:] == [(30, 20, End.MOVED), (14, 0, "")]


def test_an_end_that_moved_behind_our_back_is_noticed(person):
    run(14)
    Participation.objects.update(support_ends_on=LAST + days(3))

    assert run(12) == 1
    assert reminders() == [(14, 0, End.MOVED), (30, 3, "")]


def test_while_a_period_stands_still_nobody_is_reminded(person, staff):
    run(14)
    pause(person, LAST - days(10), by=staff, on=LAST - days(10))
    for before in range(10, 0, -1):
        assert run(before) == 0
    assert [outcome for *_rest, outcome in reminders()] == [End.MOVED]

    resume(person, LAST, by=staff, on=LAST)
    assert run(0) == 1  # paused for ten days with eleven to go
    assert reminders()[-1] == (14, 10, "")


def test_the_end_is_computed_before_it_is_told(person, staff):
    """A pause that ran out by itself while no night ran: nobody is told of an end that has moved on."""
    person.cohort.most_pause_days = 10
    person.cohort.save()
    pause(person, LAST - days(40), by=staff, on=LAST - days(40))
    assert ends_on(person) == LAST + days(1)

    assert run(20) == 1
    assert reminders() == [(30, 10, "")] and ends_on(person) == LAST + days(10)


def test_a_pause_with_a_last_day_has_an_end_to_remind_of(person, staff):
    pause(person, LAST - days(20), LAST - days(11), by=staff, on=LAST - days(20))

    assert run(20) == 1
    assert reminders() == [(30, 10, "")]


def test_withdrawal_and_a_graduation_taken_back_close_it(staff):
    gone, back = graduate(), graduate()
    run(14)
    withdraw(gone, by=staff, reason="外出")
    take_back_graduation(back, by=staff, reason="学时有误")

    assert [outcome for *_rest, outcome in reminders()] == [End.ENDED] * 2
    assert run(13) == 0


def award(person, rule, number):
    account = person.trainee.accounts.first() or factories.CreatorAccountFactory(trainee=person.trainee)
    staff = factories.UserFactory()
    candidate = Candidate.objects.create(
        rule=rule, participation=person, account=account, crossed_on=FIRST, followers=100_000, found_on=FIRST,
        state="approved", was_decided_alone=True, decided_by=staff, decided_at=timezone.now(),
    )  # fmt: skip
    return Award.objects.create(
        number=number, badge=rule.badge, trainee=person.trainee, candidate=candidate, awarded_on=FIRST,
        awarded_by=staff, evidence={},
    )  # fmt: skip


def test_whoever_holds_every_badge_is_not_reminded(person):
    lower, higher = factories.RuleFactory(), factories.RuleFactory()
    other = graduate()
    award(person, lower, "XC-1")
    assert run(30) == 2  # the higher badge can still be reached

    held = award(person, higher, "XC-2")
    assert list(SupportReminder.objects.due(LAST - days(30)).values_list("participation", flat=True)) == [other.pk]
    assert run(14) == 1
    assert SupportReminder.objects.get(participation=person).outcome == End.SETTLED
    assert list(SupportReminder.objects.open().values_list("participation", "stage")) == [(other.pk, 14)]

    withdraw_award(held, by=factories.UserFactory(), reason="作弊")
    assert run(13) == 1
    assert SupportReminder.objects.open().get(participation=person).stage == 14


def test_seen_is_when_it_was_seen_first(person):
    run(14)
    reminder = SupportReminder.objects.get()
    mark_support_reminder_seen(reminder, at=at(LAST))
    mark_support_reminder_seen(reminder, at=at(LAST + days(1)))

    assert SupportReminder.objects.get().seen_at == at(LAST)


def test_what_is_shown_as_due_is_true_at_that_moment(person, staff):
    run(14)
    assert SupportReminder.objects.due(LAST - days(14)).exists()
    assert SupportReminder.objects.due(LAST).exists() and not SupportReminder.objects.due(LAST + days(1)).exists()

    Participation.objects.update(support_ends_on=LAST + days(1))
    assert not SupportReminder.objects.due(LAST).exists()
    Participation.objects.update(support_ends_on=LAST, state="withdrawn")
    assert not SupportReminder.objects.due(LAST).exists()


def test_the_day_is_chinas(person):
    """Five past midnight in China is the day before in London."""
    instant = at(LAST - days(30))
    with time_machine.travel(instant, tick=False):
        keep_support()
        keep_support()

    assert reminders() == [(30, 0, "")] and SupportReminder.objects.get().made_at == instant


def test_reminding_takes_as_many_queries_for_thirty_as_for_one():
    used = []
    for more, before in ((1, 30), (29, 14)):
        for _n in range(more):
            graduate()
        with CaptureQueriesContext(connection) as captured:
            made = run(before)
        used.append((made, len(captured)))

    assert [made for made, _queries in used] == [1, 30]
    assert used[0][1] == used[1][1]

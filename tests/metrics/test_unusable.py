"""Answers without a usable figure: held back with a reason, never a reading, never 0, closed by the next reading."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from incubator.common.errors import RuleBroken
from incubator.metrics.choices import Failure, QuarantineState, Source, Suspicion
from incubator.metrics.models import LatestReading, QuarantinedReading, Reading, RefreshFailure
from incubator.metrics.planning import Reason
from incubator.metrics.services import resume_run
from incubator.metrics.services.plan import plan_day
from incubator.metrics.services.readings import (
    Origin,
    Written,
    accept_reading,
    hold_unusable,
    reject_reading,
    write_readings,
)
from tests.factories import SHANGHAI, CreatorAccountFactory, UserFactory
from tests.metrics.test_clients_kuaishou import USER_INFO
from tests.metrics.test_refresh import accounts, refresh, work_off  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)


def hold(account, why=Suspicion.NEGATIVE, told="-5", day=DAY):
    hold_unusable([(account.pk, why, told)], day=day, origin=Origin(Source.API, AT))
    return QuarantinedReading.objects.filter(account=account, day=day).first()


def write(account, followers, day=DAY):
    return write_readings([(account.pk, day, followers, None)], source=Source.API, at=AT + timedelta(hours=1))


@pytest.mark.parametrize(
    ("kind", "why", "told"),
    [
        ("missing_fan", Suspicion.MISSING, ""),
        ("null_fan", Suspicion.MISSING, "null"),
        ("negative_fan", Suspicion.NEGATIVE, "-"),
        ("absurd_fan", Suspicion.ABSURD, "1000000000000"),
    ],
)
def test_each_kind_is_held_back_with_its_reason_and_is_no_reading(platform, accounts, kind, why, told):  # noqa: F811
    platform.break_(USER_INFO, kind, handle="ks1")

    run = refresh()

    held = QuarantinedReading.objects.get()
    assert (held.account.handle, held.why, held.run, held.day) == ("ks1", why, run, DAY)
    assert held.followers is None and held.told.startswith(told) and bool(held.told) == bool(told)
    assert sorted(Reading.objects.values_list("account__handle", flat=True)) == ["ks0", "ks2"]
    assert (RefreshFailure.objects.get().kind, RefreshFailure.objects.get().code) == (Failure.BAD_ANSWER, why)


def test_doing_what_is_left_reads_the_account_again_and_closes_the_row(platform, accounts):  # noqa: F811
    platform.break_(USER_INFO, "missing_fan", handle="ks1", times=1)
    run = refresh()

    resume_run(run)
    work_off()

    held = QuarantinedReading.objects.get()
    assert (held.state, held.remark) == (QuarantineState.REJECTED, "answered")
    assert Reading.objects.count() == 3 and not RefreshFailure.objects.exists()


def test_what_was_read_before_is_kept_beside_it():
    account = CreatorAccountFactory()
    write(account, 500)

    held = hold(account, day=DAY + timedelta(days=1))

    assert (held.last_day, held.last_followers, held.answer) == (DAY, 500, "-5")
    assert LatestReading.objects.get().followers == 500


def test_holding_twice_is_one_row_and_the_newer_day_takes_the_place_of_the_older():
    account = CreatorAccountFactory()
    hold(account)
    hold(account, Suspicion.MISSING, "null")
    later = hold(account, day=DAY + timedelta(days=1))

    assert list(QuarantinedReading.objects.open()) == [later]
    assert QuarantinedReading.objects.get(day=DAY).remark == "again"


def test_a_day_that_has_its_reading_misses_nothing():
    account = CreatorAccountFactory()
    write(account, 500)
    assert hold(account) is None


@pytest.mark.parametrize(("days", "is_open"), [(-1, True), (0, False), (1, False)])
def test_a_reading_closes_what_could_not_be_used_up_to_its_day(days, is_open):
    account, other = CreatorAccountFactory(), CreatorAccountFactory()
    held, others = hold(account), hold(other)

    write(account, 500, DAY + timedelta(days=days))

    held.refresh_from_db()
    others.refresh_from_db()
    assert (held.state == QuarantineState.OPEN) == is_open and others.state == QuarantineState.OPEN


def test_an_odd_figure_takes_the_place_of_the_unusable_answer_of_its_day():
    account, staff = CreatorAccountFactory(), UserFactory()
    write(account, 10_000, DAY - timedelta(days=1))
    reject_reading(hold(account), by=staff)

    assert write(account, 3) == Written(quarantined=1)

    held = QuarantinedReading.objects.get()
    assert (held.why, held.followers, held.told, held.state) == (Suspicion.DROP, 3, "", QuarantineState.OPEN)
    assert (held.decided_by, held.decided_at, held.last_followers) == (None, None, 10_000)


def test_what_has_no_figure_cannot_be_accepted():
    held, staff = hold(CreatorAccountFactory()), UserFactory()

    with pytest.raises(RuleBroken):
        accept_reading(held, by=staff)

    assert reject_reading(held, by=staff, remark="seen").state == QuarantineState.REJECTED
    assert not Reading.objects.exists()
    with pytest.raises(IntegrityError), transaction.atomic():
        QuarantinedReading.objects.update(state=QuarantineState.ACCEPTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        QuarantinedReading.objects.update(followers=0)


def test_no_call_is_spent_on_an_unusable_answer_as_one_that_could_decide():
    account, odd = CreatorAccountFactory(), CreatorAccountFactory()
    for one in (account, odd):
        write(one, 500)
    hold(account, day=DAY + timedelta(days=1))
    write(odd, 5, DAY + timedelta(days=1))

    plan = plan_day("kuaishou", day=DAY + timedelta(days=2), budget=10)

    assert plan.reasons[Reason.HELD] == 1

"""Consents are reminded of in time, end on their day, and leave a trace that holds no token."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from incubator.common.errors import RuleBroken
from incubator.demo.vendor import Vendor
from incubator.metrics.choices import AccountState, ConsentAct, ConsentNeed, ConsentReason, Platform, ReminderEnd
from incubator.metrics.clients.base import Tokens
from incubator.metrics.consents import needing_consent, stage_of, waiting_for_consent
from incubator.metrics.models import Authorisation, ConsentEvent, ConsentReminder, ConsentRequest, CreatorAccount
from incubator.metrics.services import (
    ASSISTED,
    begin_consent,
    complete_consent,
    end_consents,
    forget_requests,
    lose_consents,
    remind_consents,
    withdraw_consent,
)
from incubator.metrics.services.consent import grant_consent
from incubator.metrics.tasks import remind_consents as daily_task
from tests.factories import SHANGHAI, CreatorAccountFactory, UserFactory, consents_of
from tests.metrics.test_clients_kuaishou import REFRESH
from tests.metrics.test_refresh import connect, refresh

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 25)


def at(day, hour=1, minute=0):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SHANGHAI)


NOW = at(TODAY)


def tokens(ends_at, external_id="ext"):
    return Tokens(external_id, "secret-access", "secret-refresh", NOW + timedelta(hours=48), ends_at, ("user_info",))


def consenting(days=30, *, hour=12, minute=0, external_id=None, **kwargs):
    """An account whose consent ends so many days after today, at that hour in China."""
    account = CreatorAccountFactory(**kwargs)
    ends_at = at(TODAY + timedelta(days=days), hour, minute)
    return grant_consent(account, tokens(ends_at, external_id or f"ext{account.pk}"), at=NOW - timedelta(days=100))


def remind(on=TODAY):
    return remind_consents(on=on, at=at(on))


def stages():
    return list(ConsentReminder.objects.order_by("made_at", "pk").values_list("stage", flat=True))


# --- Reminders --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days_left", "stage"),
    [(31, None), (30, 30), (29, 30), (15, 30), (14, 14), (13, 14), (4, 14), (3, 3), (1, 3), (0, 3), (-1, None)],
)
@pytest.mark.parametrize(("hour", "minute"), [(0, 0), (7, 59), (8, 0), (23, 59)])
def test_stage_is_the_newest_due_in_python_and_in_sql(days_left, stage, hour, minute):
    """From midnight to eight in the morning the day in China is not the day by UTC."""
    consenting(days_left, hour=hour, minute=minute)

    assert stage_of(days_left, Platform.KUAISHOU) == stage
    assert remind() == (stage is not None)
    assert stages() == ([stage] if stage else [])


@pytest.mark.parametrize(("days_left", "stage"), [(30, None), (14, None), (10, 10), (3, 3)])
def test_a_consent_that_we_lengthen_ourselves_is_reminded_of_when_that_has_not_come(days_left, stage):
    """Douyin's last 30 days, and are lengthened when 16 are left."""
    consenting(days_left, platform=Platform.DOUYIN)

    assert stage_of(days_left, Platform.DOUYIN) == stage
    assert remind() == (stage is not None)
    assert needing_consent(CreatorAccount.objects.all(), at=at(TODAY)).exists() == (stage is not None)


def test_each_stage_is_reminded_of_once_on_its_day():
    account = consenting(31)
    made = {n: remind(TODAY + timedelta(days=n)) for n in range(32)}

    assert {n for n, count in made.items() if count} == {1, 17, 28}
    assert [(r.stage, r.due_on, r.ends_on) for r in account.consent_reminders.order_by("pk")] == [
        (stage, TODAY + timedelta(days=31 - stage), TODAY + timedelta(days=31)) for stage in (30, 14, 3)
    ]


def test_a_run_missed_for_weeks_reminds_of_the_newest_stage_only():
    consenting(30)

    assert remind(TODAY + timedelta(days=28)) == 1
    assert remind(TODAY + timedelta(days=2)) == 0  # a late run of an earlier day makes none either
    assert stages() == [3]
    assert ConsentReminder.objects.get().due_on == TODAY + timedelta(days=27)


def test_reminding_twice_leaves_the_same_rows_in_the_same_number_of_queries():
    consenting(14)
    used = []
    for _n in range(2):
        with CaptureQueriesContext(connection) as captured:
            remind()
        used.append(len(captured))
        for _account in range(5):
            consenting(3)

    assert stages() == [14] + [3] * 5 and used[0] == used[1]


def test_only_connected_accounts_are_reminded():
    for state in set(AccountState.values) - {AccountState.LINKED}:
        account = consenting(3)
        CreatorAccount.objects.filter(pk=account.pk).update(state=state)

    assert remind() == 0


def test_a_reminder_is_closed_by_consenting_anew_and_comes_again_before_the_next_end():
    account = consenting(3)
    remind()
    grant_consent(account, tokens(at(TODAY + timedelta(days=180)), f"ext{account.pk}"), at=NOW)

    reminder = ConsentReminder.objects.get()
    assert (reminder.closed_at, reminder.outcome) == (NOW, ReminderEnd.RENEWED)
    assert remind() == 0
    assert remind(TODAY + timedelta(days=150)) == 1


def test_a_reminder_is_closed_by_withdrawal_and_by_loss():
    first, second = consenting(3), consenting(3)
    remind()
    withdraw_consent(first, by=None, at=NOW)
    lose_consents({second.pk: "100200109"}, consents_of(second), at=NOW)

    outcomes = dict(ConsentReminder.objects.values_list("account", "outcome"))
    assert outcomes == {first.pk: ReminderEnd.WITHDRAWN, second.pk: ReminderEnd.LOST}


def test_a_consent_that_the_platform_lengthened_is_not_reminded_of_any_more():
    account = consenting(3)
    remind()
    Authorisation.objects.update(refresh_expires_at=at(TODAY + timedelta(days=40)))
    remind()

    assert ConsentReminder.objects.get().outcome == ReminderEnd.RENEWED
    assert remind(TODAY + timedelta(days=10)) == 1 and account.consent_reminders.open().get().stage == 30


def test_a_consent_that_we_lengthened_ourselves_is_reminded_of_the_next_time_too():
    account = consenting(10, platform=Platform.DOUYIN)
    remind()
    Authorisation.objects.update(refresh_expires_at=at(TODAY + timedelta(days=30)))
    remind(TODAY + timedelta(days=1))

    assert account.consent_reminders.get().outcome == ReminderEnd.RENEWED
    assert remind(TODAY + timedelta(days=20)) == 1 and account.consent_reminders.open().get().stage == 10


def test_an_end_that_moves_by_a_day_reminds_nobody_twice():
    """Seconds are rounded anew with every rotation, and may carry the end over midnight."""
    consenting(14, hour=23, minute=59)
    remind()
    Authorisation.objects.update(refresh_expires_at=at(TODAY + timedelta(days=15), 0))
    remind(TODAY + timedelta(days=1))

    assert stages() == [14]


# --- The end ----------------------------------------------------------------------------------------------------------


def test_a_consent_ends_at_its_instant_and_the_account_waits_for_another():
    over, last_minute = consenting(0, hour=1), consenting(0, hour=1, minute=1)
    remind()

    assert end_consents(at=NOW) == 1
    assert end_consents(at=NOW) == 0

    over.refresh_from_db()
    last_minute.refresh_from_db()
    event = over.consent_events.first()
    assert (over.state, last_minute.state) == (AccountState.NEEDS_CONSENT, AccountState.LINKED)
    assert (event.what, event.why, event.at) == (ConsentAct.LOST, ConsentReason.OVER, NOW)
    assert over.consent_reminders.get().outcome == ReminderEnd.LOST
    assert last_minute.consent_reminders.get().closed_at is None


def test_the_daily_task_ends_reminds_and_forgets_and_may_run_twice():
    over, soon = consenting(-1), consenting(14)
    ConsentRequest.objects.create(state="old", account=soon, asked_by=UserFactory(), asked_at=NOW - timedelta(hours=1))
    with time_machine.travel(NOW, tick=False):
        daily_task()
        rows = list(ConsentReminder.objects.values()), list(ConsentEvent.objects.values())
        daily_task()

    over.refresh_from_db()
    assert over.state == AccountState.NEEDS_CONSENT
    assert (list(ConsentReminder.objects.values()), list(ConsentEvent.objects.values())) == rows
    assert stages() == [14] and not ConsentRequest.objects.exists()


def test_ways_back_are_forgotten_when_nobody_can_take_them_any_more():
    account, user = CreatorAccountFactory(), UserFactory()
    for state, minutes in (("good", 9), ("over", 10)):
        asked_at = NOW - timedelta(minutes=minutes)
        ConsentRequest.objects.create(state=state, account=account, asked_by=user, asked_at=asked_at)

    assert forget_requests(at=NOW) == 1
    assert ConsentRequest.objects.get().state == "good"


# --- The trace --------------------------------------------------------------------------------------------------------


def trace(account):
    return [(event.what, event.why, event.by) for event in account.consent_events.order_by("pk")]


def test_everything_that_happens_to_a_consent_leaves_a_trace():
    staff, account = UserFactory(), CreatorAccountFactory(state=AccountState.UNLINKED)
    ends_at = NOW + timedelta(days=180)
    grant_consent(account, tokens(ends_at), at=NOW, by=staff)
    grant_consent(account, tokens(ends_at), at=NOW, by=staff)
    grant_consent(account, tokens(ends_at, "another"), at=NOW)
    lose_consents({account.pk: "100200109"}, consents_of(account), at=NOW)
    withdraw_consent(account, by=staff, at=NOW)
    grant_consent(account, tokens(ends_at), at=NOW)

    assert trace(account) == [
        (ConsentAct.GRANTED, "", staff),
        (ConsentAct.RENEWED, "", staff),
        (ConsentAct.RENEWED, ConsentReason.OTHER_ACCOUNT, None),
        (ConsentAct.LOST, ConsentReason.REVOKED, None),
        (ConsentAct.WITHDRAWN, "", staff),
        (ConsentAct.GRANTED, "", None),
    ]


def test_withdrawal_erases_the_tokens_and_the_trace_holds_none():
    staff = UserFactory()
    account = consenting(100)
    withdraw_consent(account, by=staff, at=NOW)

    account.refresh_from_db()
    event = account.consent_events.first()
    assert account.state == AccountState.WITHDRAWN and not Authorisation.objects.exists()
    assert (event.what, event.by, event.at) == (ConsentAct.WITHDRAWN, staff, NOW)
    assert "secret" not in str(list(ConsentEvent.objects.values()) + list(ConsentReminder.objects.values()))


@pytest.mark.parametrize("state", [AccountState.UNLINKED, AccountState.WITHDRAWN])
def test_where_there_is_no_consent_none_is_withdrawn(state):
    account = CreatorAccountFactory(state=state)

    with pytest.raises(RuleBroken):
        withdraw_consent(account, by=UserFactory(), at=NOW)

    account.refresh_from_db()
    assert account.state == state and not trace(account)


def test_the_trace_is_never_changed_or_deleted():
    consenting()
    for change in (lambda: ConsentEvent.objects.update(by=None), lambda: ConsentEvent.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("expired", ConsentReason.OVER),
        ("100200110", ConsentReason.OVER),
        ("100200109", ConsentReason.REVOKED),
        ("2190003", ConsentReason.REVOKED),
        ("100200102", ConsentReason.KEY),
        ("", ConsentReason.KEY),
    ],
)
def test_the_platforms_code_says_why_a_consent_was_lost(code, why):
    account = consenting(100)

    assert lose_consents({account.pk: code}, consents_of(account), at=NOW) == 1
    assert lose_consents({account.pk: code}, consents_of(account), at=NOW) == 0
    assert account.consent_events.first().why == why


def test_a_renewal_whose_answer_was_lost_is_in_the_work_list_with_that_reason(platform):
    """The platform took the single-use key and gave another that never arrived."""
    day, then = date(2026, 9, 1), datetime(2026, 9, 1, 3, tzinfo=SHANGHAI)
    platform.set_clock(then)
    account = connect(platform, "ks1")
    platform.break_(REFRESH, "lost_answer", times=1)
    later = then + timedelta(days=3)
    platform.set_clock(later)
    refresh(day + timedelta(days=3), later)

    [waiting] = work_list(later)
    assert waiting.account == account and waiting.why == ConsentReason.KEY.label
    assert account.consent_events.first().what == ConsentAct.LOST


# --- The work-list ----------------------------------------------------------------------------------------------------


def work_list(moment=NOW, need=""):
    accounts = needing_consent(CreatorAccount.objects.all(), at=moment, need=need).order_by("pk")
    return waiting_for_consent(list(accounts.select_related("trainee__county", "authorisation")), at=moment)


def test_the_work_list_holds_who_needs_consent_and_why():
    never = CreatorAccountFactory(state=AccountState.UNLINKED)
    withdrawn, lost, month, urgent, over = (consenting(n) for n in (100, 100, 30, 3, -1))
    consenting(31)
    CreatorAccountFactory(state=AccountState.GONE)
    withdraw_consent(withdrawn, by=UserFactory(), at=NOW)
    lose_consents({lost.pk: "100200109"}, consents_of(lost), at=NOW)

    found = {w.account: (w.since, w.until, w.days_left) for w in work_list()}
    assert found == {
        never: (None, None, None),
        withdrawn: (TODAY, None, None),
        lost: (TODAY, None, None),
        month: (None, TODAY + timedelta(days=30), 30),
        urgent: (None, TODAY + timedelta(days=3), 3),
        over: (TODAY - timedelta(days=1), None, None),
    }
    assert {need: {w.account for w in work_list(need=need)} for need in ConsentNeed.values} == {
        "never": {never},
        "over": {lost, over},
        "withdrawn": {withdrawn},
        "soon": {month, urgent},
        "urgent": {urgent},
    }


@pytest.mark.parametrize(("hour", "minute"), [(0, 1), (23, 59)])
def test_the_work_list_counts_days_in_china_like_the_reminders(hour, minute):
    consenting(30, hour=hour, minute=minute)
    consenting(31, hour=hour, minute=minute)

    for moment in (at(TODAY, 0), at(TODAY, 23, 59)):
        assert [w.days_left for w in work_list(moment.astimezone(UTC))] == [30]


def test_a_message_names_the_person_the_account_the_day_and_the_address(settings):
    settings.PUBLIC_URL = "https://xc.example.cn"
    account = consenting(10, platform="douyin", handle="100%抖音号")

    [waiting] = work_list()

    for word in (account.trainee.name, account.trainee.number, account.handle, "https://xc.example.cn/me/account/"):
        assert word in waiting.message
    assert "2026-12-05" in waiting.message and str(TODAY) in waiting.message
    assert "快手" not in waiting.message and "%(" not in waiting.message


# --- Staff beside the creator -----------------------------------------------------------------------------------------


def test_staff_may_assist_without_a_browser_session(platform):
    staff, account = UserFactory(), CreatorAccountFactory(state=AccountState.UNLINKED, handle="ks1")
    platform.set_clock(NOW)
    address = begin_consent(account, by=staff, at=NOW, session=ASSISTED)
    state, code = Vendor(platform.url).agree(address, handle="ks1")

    with pytest.raises(RuleBroken):  # what began without a session is not finished by somebody's browser
        complete_consent(state=state, code=code, by=staff, at=NOW, session="somebody's")
    assert complete_consent(state=state, code=code, by=staff, at=NOW, session=ASSISTED).state == AccountState.LINKED
    assert trace(account) == [(ConsentAct.GRANTED, "", staff)]

"""A refresh run against the simulator over real HTTP: nothing lost, nothing doubled, every failure said."""

import asyncio
import time
from collections import deque
from datetime import date, datetime, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from incubator.common.errors import RuleBroken
from incubator.jobs import services as jobs
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics import batches, streaming
from incubator.metrics.choices import AccountState, Failure, Platform
from incubator.metrics.clients.douyin import DouyinClient
from incubator.metrics.limits import BrokerGate, Paused
from incubator.metrics.models import (
    AccountCalls,
    Authorisation,
    CallBudget,
    CreatorAccount,
    LatestReading,
    Reading,
    RefreshBatch,
    RefreshFailure,
    RefreshRun,
)
from incubator.metrics.platforms import client_for
from incubator.metrics.services import resume_run, start_refresh, stop_run, withdraw_consent
from incubator.metrics.services.consent import grant_consent
from tests.factories import SHANGHAI, CreatorAccountFactory, UserFactory, reading
from tests.metrics.test_clients_kuaishou import REFRESH, USER_INFO, ask

pytestmark = pytest.mark.django_db

DAY = date(2026, 9, 1)
AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)


@pytest.fixture
def accounts(platform):
    """Three connected accounts, their consents given on the day of the run."""
    platform.set_clock(AT)
    return [connect(platform, f"ks{n}") for n in range(3)]


def connect(platform, handle):
    account = CreatorAccountFactory(handle=handle)
    code = platform.state.issue_code(handle)
    return grant_consent(account, ask(platform, lambda client: client.exchange(code, at=AT)), at=AT)


def refresh(day=DAY, at=AT):
    run = start_refresh(platform=Platform.KUAISHOU, day=day, at=at)
    work_off()
    run.refresh_from_db()
    return run


def work_off():
    """Do every waiting job, as the worker would once its time has come."""
    Job.objects.filter(state=JobState.QUEUED).update(not_before=None)
    for job in Job.objects.filter(state=JobState.QUEUED).order_by("pk"):
        jobs.run(job.pk)


def test_every_connected_account_gets_one_reading(platform, accounts):
    CreatorAccountFactory(handle="stranger", state=AccountState.UNLINKED)

    run = refresh()

    assert run.finished_at and run.planned == 3
    figures = dict(Reading.objects.filter(day=DAY).values_list("account__handle", "followers"))
    assert figures == {f"ks{n}": platform.state.followers(f"ks{n}") for n in range(3)}
    assert dict(LatestReading.objects.values_list("account__handle", "followers")) == figures
    assert platform.calls(USER_INFO) == {"ks0": 1, "ks1": 1, "ks2": 1}


def test_a_batch_done_twice_spends_no_second_call_and_changes_nothing(platform, accounts):
    refresh()
    before = list(Reading.objects.order_by("account_id").values_list("account_id", "followers", "fetched_at"))

    batch = RefreshBatch.objects.get()
    again = jobs.ask_for_job("refresh_batch", key="again", batch=batch.pk, at=AT.isoformat())
    jobs.run(again.pk)

    assert Job.objects.get(pk=again.pk).state == JobState.DONE
    assert list(Reading.objects.order_by("account_id").values_list("account_id", "followers", "fetched_at")) == before
    assert platform.calls(USER_INFO) == {"ks0": 1, "ks1": 1, "ks2": 1}


def test_starting_the_same_day_twice_is_one_run(platform, accounts):
    first = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    second = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    work_off()

    assert first.pk == second.pk and RefreshBatch.objects.count() == 1
    with pytest.raises(RuleBroken):
        start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)


def test_expiring_tokens_are_rotated_and_stored(platform, accounts):
    before = Authorisation.objects.get(account=accounts[0])
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)

    run = refresh(day, later)

    after = Authorisation.objects.get(account=accounts[0])
    assert run.readings.count() == 3
    assert after.rotation == 1 and after.refresh_token != before.refresh_token
    assert after.refresh_expires_at <= before.refresh_expires_at
    assert abs(after.access_expires_at - later - timedelta(hours=48)) < timedelta(minutes=1)
    assert platform.calls(REFRESH) == {"ks0": 1, "ks1": 1, "ks2": 1}


def test_a_token_refused_before_its_time_is_rotated_once_and_tried_again(platform, accounts):
    platform.break_(USER_INFO, "result", result=100200108, times=1, handle="ks1")

    refresh()

    assert Reading.objects.filter(day=DAY).count() == 3
    assert platform.calls(USER_INFO)["ks1"] == 2 and platform.calls(REFRESH) == {"ks1": 1}


def test_two_workers_do_not_rotate_the_same_token(platform, accounts):
    authorisation = Authorisation.objects.get(account=accounts[0])

    assert batches.claim_rotation(authorisation, at=AT)
    assert not batches.claim_rotation(authorisation, at=AT + timedelta(seconds=59))
    assert batches.claim_rotation(authorisation, at=AT + timedelta(seconds=61))


@pytest.mark.parametrize(
    ("kind", "why", "state"),
    [
        ("missing_fan", Failure.BAD_ANSWER, AccountState.LINKED),
        ("html", Failure.BAD_ANSWER, AccountState.LINKED),
        ("gone", Failure.GONE, AccountState.GONE),
        ("revoked", Failure.REAUTHORISE, AccountState.NEEDS_CONSENT),
    ],
)
def test_a_failed_account_says_why_and_gets_no_figure(platform, accounts, kind, why, state):
    if kind == "revoked":
        platform.state.revoke("ks1")
    elif kind == "gone":
        platform.break_(USER_INFO, "result", result=400000, handle="ks1")
    else:
        platform.break_(USER_INFO, kind, handle="ks1")

    run = refresh()

    assert run.finished_at
    assert list(RefreshFailure.objects.values_list("account__handle", "kind")) == [("ks1", why)]
    assert set(Reading.objects.values_list("account__handle", flat=True)) == {"ks0", "ks2"}
    assert CreatorAccount.objects.get(handle="ks1").state == state


def test_a_platform_that_stumbles_is_tried_again_by_itself(platform, accounts, monkeypatch):
    monkeypatch.setattr(batches.BatchWork, "_pause", lambda self, account: 0)
    platform.break_(USER_INFO, "http_500", times=2, handle="ks1")

    refresh()

    assert Reading.objects.filter(day=DAY).count() == 3
    assert CallBudget.objects.get().spent == 5


def test_a_platform_that_is_down_keeps_what_was_read_and_goes_on_later(platform, accounts, monkeypatch):
    monkeypatch.setattr(batches.BatchWork, "_pause", lambda self, account: 0)
    platform.break_(USER_INFO, "http_500", handle="ks1")

    run = refresh()
    job = Job.objects.get()
    assert job.state == JobState.QUEUED and job.error
    assert run.finished_at is None and Reading.objects.count() == 2

    platform.mend()
    work_off()
    run.refresh_from_db()
    assert run.finished_at and Reading.objects.count() == 3 and not RefreshFailure.objects.exists()
    assert platform.calls(USER_INFO)["ks0"] == 1


def test_wrong_settings_stop_the_run_with_a_sentence(platform, accounts, settings):
    settings.KUAISHOU_APP_ID = "somebody-else"

    run = refresh()

    job = Job.objects.get()
    assert job.state == JobState.FAILED and job.error == run.error != ""
    assert run.has_stopped and run.stop_asked_at and not Reading.objects.exists()


def test_calls_beyond_the_days_budget_are_not_made(platform, accounts, settings):
    run = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    settings.KUAISHOU_DAILY_BUDGET = 2

    work_off()

    assert platform.calls(USER_INFO) == {"ks0": 1, "ks1": 1} and CallBudget.objects.get().spent == 2
    assert list(run.failures.values_list("account__handle", "kind")) == [("ks2", Failure.QUOTA_SPENT)]


def test_calls_that_were_not_made_are_given_back(platform, accounts, monkeypatch):
    """A platform that is left alone, night or day, must not use up the calls of accounts that nobody called."""

    async def left_alone(gate):
        raise Paused(30)

    monkeypatch.setattr(BrokerGate, "enter", left_alone)

    for _pass in range(5):
        run = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
        work_off()

    assert CallBudget.objects.get().spent == 0
    assert set(AccountCalls.objects.values_list("calls", flat=True)) == {0}
    assert run.finished_at is None and not run.failures.exists()


def test_an_account_is_not_called_more_often_a_day_than_allowed(platform, accounts, settings, monkeypatch):
    monkeypatch.setattr(batches.BatchWork, "_pause", lambda self, account: 0)
    settings.KUAISHOU_CALLS_PER_ACCOUNT = 2
    platform.break_(USER_INFO, "http_500", handle="ks1")

    run = refresh()
    work_off()

    assert platform.calls(USER_INFO) == {"ks0": 1, "ks1": 2, "ks2": 1}
    assert list(run.failures.values_list("kind", flat=True)) == [Failure.ACCOUNT_LIMIT]


def test_a_figure_of_another_day_is_refused(platform, accounts):
    platform.set_clock(AT + timedelta(days=1))

    run = refresh()

    assert not Reading.objects.exists()
    assert set(run.failures.values_list("kind", flat=True)) == {Failure.OTHER_DAY}


class Killed(BaseException):
    """What a kill looks like from inside: nothing after it runs."""


def test_a_worker_killed_between_writes_loses_no_reading_and_doubles_none(platform, accounts, monkeypatch):
    monkeypatch.setattr(batches, "WRITE_EVERY", 1)
    monkeypatch.setattr(batches, "CONCURRENT_CALLS", 1)
    monkeypatch.setattr(streaming, "HANDFUL", 1)
    real = batches.BatchWork._write

    def dies_after_one(work):
        real(work)
        if work.written.written:
            raise Killed

    monkeypatch.setattr(batches.BatchWork, "_write", dies_after_one)
    start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    with pytest.raises(Killed):
        work_off()
    assert 1 <= Reading.objects.count() <= 2  # the one that was written, and one that had arrived when the work ended
    job = Job.objects.get()
    assert job.state == JobState.RUNNING

    monkeypatch.setattr(batches.BatchWork, "_write", real)
    assert jobs.sweep(at=job.lease_until + timedelta(seconds=1)) == 1
    work_off()

    assert Reading.objects.count() == 3 and RefreshRun.objects.get().finished_at
    assert sum(platform.calls(USER_INFO).values()) <= 3 + batches.CONCURRENT_CALLS


def test_slow_writes_are_not_followed_by_one_for_every_answer(platform, accounts, monkeypatch):
    """Nor does the first answer go by itself: writing costs the same for one figure and for hundreds."""
    monkeypatch.setattr(batches, "WRITE_AFTER", 0.3)
    writes, real = [], batches.write_figures

    def slow(figures, origin):
        writes.append(len(figures.accounts))
        time.sleep(0.4)
        return real(figures, origin)

    monkeypatch.setattr(batches, "write_figures", slow)
    for n in range(3, 9):
        connect(platform, f"ks{n}")

    refresh()

    assert sum(writes) == 9 and len(writes) <= 3, writes


def test_a_finished_run_can_read_what_failed(platform, accounts):
    platform.break_(USER_INFO, "missing_fan", handle="ks1", times=1)
    run = refresh()
    assert run.readings.count() == 2

    resume_run(run)
    work_off()
    run.refresh_from_db()

    assert run.finished_at and run.readings.count() == 3 and not run.failures.exists()


def test_an_older_day_written_late_does_not_replace_the_latest(platform, accounts):
    refresh()
    earlier, at = DAY - timedelta(days=1), AT - timedelta(days=1)
    platform.set_clock(at)
    refresh(earlier, at)

    assert set(LatestReading.objects.values_list("day", flat=True)) == {DAY}
    assert Reading.objects.filter(day=earlier).count() == 3


# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_endpoint_that_stumbles_disconnects_nobody(platform, accounts, monkeypatch):
    """The exchange is tried again as an exchange, not as a reading with the old token."""
    monkeypatch.setattr(batches.BatchWork, "_pause", lambda self, account: 0)
    platform.break_(REFRESH, "http_500", times=4)
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)

    run = refresh(day, later)

    assert run.readings.count() == 3
    assert set(CreatorAccount.objects.values_list("state", flat=True)) == {AccountState.LINKED}
    assert not Authorisation.objects.exclude(claimed_until=None).exists()


def test_exchanged_tokens_are_stored_when_the_batch_is_stopped(platform, accounts, monkeypatch):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    monkeypatch.setattr(batches.BatchWork, "_take", stop_at_once)

    refresh(day, later)

    for account in accounts:
        consent = platform.state.consents["kuaishou"].by_handle[account.handle]
        assert Authorisation.objects.get(account=account).refresh_token == consent.refresh_token
    assert platform.calls(REFRESH) == {"ks0": 1, "ks1": 1, "ks2": 1}


def test_tokens_are_held_until_the_database_is_back(platform, accounts, monkeypatch):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    real, tried = batches.store_tokens, []

    def away_at_first(authorisation, tokens):
        tried.append(authorisation)
        if len(tried) < 3:
            raise OperationalError("the connection is closed")
        return real(authorisation, tokens)

    monkeypatch.setattr(batches, "store_tokens", away_at_first)
    monkeypatch.setattr(batches.connection, "close", lambda: None)  # the test's own, with its transaction
    refresh(day, later)

    for account in accounts:
        consent = platform.state.consents["kuaishou"].by_handle[account.handle]
        assert Authorisation.objects.get(account=account).refresh_token == consent.refresh_token
    assert platform.calls(REFRESH) == {"ks0": 1, "ks1": 1, "ks2": 1}


def test_few_exchanges_are_on_their_way_at_once(platform, accounts, monkeypatch):
    """So many consents a killed worker may cost, and no more: until its tokens are stored, each of them counts."""
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    monkeypatch.setattr(batches, "EXCHANGES_AT_ONCE", 1)
    real, open_when_stored = batches.store_tokens, []

    def look(authorisation, tokens):
        open_when_stored.append(sum(platform.calls(REFRESH).values()))
        return real(authorisation, tokens)

    monkeypatch.setattr(batches, "store_tokens", look)
    run = refresh(day, later)

    assert open_when_stored == [1, 2, 3] and run.readings.count() == 3


def test_exchanges_that_wait_are_given_back_when_the_batch_is_stopped(platform, accounts, monkeypatch):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    monkeypatch.setattr(batches, "EXCHANGES_AT_ONCE", 1)
    monkeypatch.setattr(batches.BatchWork, "_take", stop_at_once)

    refresh(day, later)

    assert platform.calls(REFRESH) == {"ks0": 1} and CallBudget.objects.get().spent == 1
    assert not Authorisation.objects.exclude(claimed_until=None).exists()


def test_an_exchange_claimed_elsewhere_costs_no_call(platform, accounts):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    Authorisation.objects.filter(account=accounts[0]).update(claimed_until=timezone.now() + timedelta(minutes=1))

    refresh(day, later)

    assert not AccountCalls.objects.get(account=accounts[0]).calls
    assert CallBudget.objects.get().spent == 2 and platform.calls(REFRESH) == {"ks1": 1, "ks2": 1}


def test_a_batch_does_not_end_without_what_another_worker_is_at(platform, accounts):
    """However often: a worker whose lease was lost may still hold claims when the last attempt of a batch begins."""
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    Authorisation.objects.filter(account=accounts[0]).update(claimed_until=timezone.now() + timedelta(minutes=1))
    run = start_refresh(platform=Platform.KUAISHOU, day=day, at=later)
    Job.objects.update(max_attempts=1)
    for _again in range(3):
        work_off()
    assert Job.objects.get(kind="refresh_batch").state == JobState.QUEUED and run.readings.count() == 2

    Authorisation.objects.update(claimed_until=None)
    work_off()

    assert Job.objects.get(kind="refresh_batch").state == JobState.DONE
    assert run.readings.count() == 3 and not run.failures.exists()


def test_readings_that_two_workers_made_are_counted_once(platform, accounts, monkeypatch):
    """Each began before the other had written."""
    run = refresh()
    both = deque(Authorisation.objects.select_related("account__latest").order_by("account_id"))
    monkeypatch.setattr(batches.BatchWork, "_todo", lambda work: both)

    again = jobs.ask_for_job("refresh_batch", key="again", batch=run.batches.get().pk)
    jobs.run(again.pk)

    assert platform.calls(USER_INFO) == {"ks0": 2, "ks1": 2, "ks2": 2}
    assert run.batches.get().read == run.readings.count() == 3


def test_a_claim_whose_exchange_was_not_begun_is_given_back(platform, accounts, monkeypatch, settings):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    monkeypatch.setattr(batches, "CONCURRENT_CALLS", 1)
    settings.KUAISHOU_APP_SECRET = "renewed"

    run = refresh(day, later)

    assert run.has_stopped and not Authorisation.objects.exclude(claimed_until=None).exists()


def stop_at_once(work, task, answer):
    work.stream._done.appendleft((task, answer))
    work.stopped_by = batches.Paused(1)


def test_a_consent_withdrawn_during_the_exchange_is_respected(platform, accounts, monkeypatch):
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    real = batches.store_tokens

    def withdrawn_meanwhile(authorisation, tokens):
        withdraw_consent(authorisation.account, by=None)
        return real(authorisation, tokens)

    monkeypatch.setattr(batches, "store_tokens", withdrawn_meanwhile)
    refresh(day, later)

    assert not Reading.objects.exists() and platform.calls(USER_INFO) == {}


def test_a_consent_given_anew_during_the_exchange_is_kept(platform, accounts, monkeypatch):
    """A new consent counts its exchanges from none again, like the one before."""
    later, day = AT + timedelta(days=3), DAY + timedelta(days=3)
    platform.set_clock(later)
    real = batches.store_tokens

    def consented_meanwhile(authorisation, tokens):
        code = platform.state.issue_code(authorisation.account.handle)
        grant_consent(authorisation.account, ask(platform, lambda client: client.exchange(code, at=later)), at=later)
        return real(authorisation, tokens)

    monkeypatch.setattr(batches, "store_tokens", consented_meanwhile)
    refresh(day, later)

    for account in accounts:
        consent = platform.state.consents["kuaishou"].by_handle[account.handle]
        assert Authorisation.objects.get(account=account).refresh_token == consent.refresh_token


# --- Stop and resume --------------------------------------------------------------------------------------------------


def test_a_stopped_run_is_resumed_where_it_was(platform, accounts):
    run = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    stop_run(run, by=UserFactory())
    work_off()
    run.refresh_from_db()
    assert run.has_stopped and not Reading.objects.exists()

    resume_run(run)
    work_off()

    run.refresh_from_db()
    assert run.finished_at and run.stop_asked_at is None and run.readings.count() == 3


def test_a_run_of_a_past_day_is_not_gone_on_with(platform, accounts):
    run = start_refresh(platform=Platform.KUAISHOU, day=DAY, at=AT)
    RefreshRun.objects.update(clock_shift=timedelta())
    run.refresh_from_db()

    with pytest.raises(RuleBroken):
        resume_run(run)
    work_off()

    assert platform.calls(USER_INFO) == {} and not CallBudget.objects.exists()
    assert Job.objects.get().state == JobState.FAILED


def test_one_banned_account_does_not_stop_the_run(platform, accounts):
    platform.break_(USER_INFO, "result", result=100100402, handle="ks1")

    run = refresh()

    assert run.finished_at and run.readings.count() == 2
    assert list(run.failures.values_list("account__handle", "kind")) == [("ks1", Failure.QUOTA_SPENT)]


def test_calls_refused_for_everybody_stop_the_run(platform, accounts, monkeypatch):
    monkeypatch.setattr(batches, "QUOTA_STOPS", 2)
    platform.break_(USER_INFO, "result", result=100100402)

    run = refresh()

    assert run.has_stopped and run.error


def test_an_odd_figure_is_held_back_and_counted(platform, accounts):
    reading(accounts[1], DAY - timedelta(days=1), 10_000_000)

    run = refresh()

    batch = run.batches.get()
    assert (run.readings.count(), batch.read, batch.quarantined) == (2, 3, 1)
    with pytest.raises(RuleBroken):
        resume_run(run)


# --- What one account does to the others ------------------------------------------------------------------------------


def test_banned_accounts_at_the_head_of_the_round_do_not_end_it_a_second_time(platform, accounts, monkeypatch):
    """Never read, they stand together at the head of the list every night; their code is that of calls used up too."""
    monkeypatch.setattr(batches, "QUOTA_STOPS", 2)
    monkeypatch.setattr(batches, "CONCURRENT_CALLS", 1)
    for handle in ("ks0", "ks1"):
        platform.break_(USER_INFO, "result", result=100100402, handle=handle)
    first = refresh()
    assert first.has_stopped and first.error

    later, day = AT + timedelta(days=1), DAY + timedelta(days=1)
    platform.set_clock(later)
    second = refresh(day, later)

    assert second.finished_at and set(second.readings.values_list("account__handle", flat=True)) == {"ks2"}
    assert set(second.failures.values_list("account__handle", "kind")) == {
        ("ks0", Failure.QUOTA_SPENT), ("ks1", Failure.QUOTA_SPENT),
    }  # fmt: skip


@pytest.fixture
def series(platform, monkeypatch):
    """Two accounts of a platform that tells days back; ``lag`` cuts so many of the newest days off an account's."""
    platform.set_clock(AT)
    lag, real = {}, DouyinClient.fetch

    async def lagging(client, tokens, *, days=1):
        told = await real(client, tokens, days=days)
        return told[: len(told) - lag.get(tokens.external_id, 0)]

    monkeypatch.setattr(DouyinClient, "fetch", lagging)
    ids = {}
    for handle in ("dy0", "dy1"):
        account = CreatorAccountFactory(handle=handle, platform=Platform.DOUYIN)
        code = platform.state.issue_code(handle, "douyin")
        tokens = asyncio.run(exchanged(code))
        grant_consent(account, tokens, at=AT)
        ids[handle] = tokens.external_id
    return lag, ids


async def exchanged(code):
    async with client_for(Platform.DOUYIN) as client:
        return await client.exchange(code, at=AT)


def refresh_series():
    run = start_refresh(platform=Platform.DOUYIN, day=DAY, at=AT)
    work_off()
    run.refresh_from_db()
    return run


def test_one_series_that_lags_fails_alone_and_its_days_are_kept(series):
    lag, ids = series
    lag[ids["dy0"]] = 3

    run = refresh_series()

    assert run.finished_at and not run.error
    assert list(run.failures.values_list("account__handle", "kind", "code")) == [("dy0", Failure.BAD_ANSWER, "stale")]
    newest = dict(LatestReading.objects.values_list("account__handle", "day"))
    assert newest == {"dy0": DAY - timedelta(days=3), "dy1": DAY}
    assert run.batches.get().read == 1 and run.batches.get().failed == 1


def test_a_platform_that_tells_up_to_yesterday_has_answered(series, platform):
    lag, ids = series
    lag |= dict.fromkeys(ids.values(), 1)

    run = refresh_series()

    assert run.finished_at and run.batches.get().read == 2 and not run.failures.exists()
    with pytest.raises(RuleBroken):
        resume_run(run)
    assert CallBudget.objects.get(platform=Platform.DOUYIN).spent == 2


def test_a_consent_given_anew_while_the_batch_runs_is_not_lost(platform, accounts, monkeypatch):
    platform.state.revoke("ks1")
    account, real = accounts[1], batches.note_failures

    def renewed_meanwhile(batch, failed, consents):
        Authorisation.objects.filter(account=account).update(granted_at=AT + timedelta(minutes=5))
        return real(batch, failed, consents)

    monkeypatch.setattr(batches, "note_failures", renewed_meanwhile)
    run = refresh()

    account.refresh_from_db()
    assert account.state == AccountState.LINKED
    assert list(run.failures.values_list("kind", flat=True)) == [Failure.REAUTHORISE]


def test_answers_that_could_not_be_written_are_written_in_the_end(platform, accounts, monkeypatch):
    monkeypatch.setattr(batches, "WRITE_EVERY", 1)
    real, tried = batches.write_figures, []

    def away_once(*args, **kwargs):
        tried.append(args)
        if len(tried) == 1:
            raise OperationalError("the connection is closed")
        return real(*args, **kwargs)

    monkeypatch.setattr(batches, "write_figures", away_once)
    refresh()

    assert Reading.objects.filter(day=DAY).count() == 3
    assert platform.calls(USER_INFO) == {"ks0": 1, "ks1": 1, "ks2": 1}

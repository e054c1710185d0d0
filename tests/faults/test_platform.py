"""A platform that fails in every way the simulator knows, with real workers: the run completes, or says why."""

import contextlib
import time
from pathlib import Path

import pytest

from incubator.demo.simulator.authorize import APPS, App
from incubator.demo.simulator.faults import TRAP
from incubator.metrics.choices import AccountState, Failure
from incubator.metrics.models import Authorisation, CallBudget, CreatorAccount, Reading, RefreshFailure
from incubator.metrics.services import begin_consent, complete_consent, resume_run
from tests.factories import CreatorAccountFactory, UserFactory
from tests.faults.house import AT, REFRESH, USER_INFO
from tests.faults.state import assert_sound, secrets_in_logs
from tests.platform import APP_ID, APP_SECRET

pytestmark = pytest.mark.broker


def failures(run):
    """Why who got no reading: ``{handle: (kind, code)}``."""
    return {handle: (kind, code) for handle, kind, code in run.failures.values_list("account__handle", "kind", "code")}


def arrivals(house, path=USER_INFO):
    return house.platform.state.arrivals.of(path)


def calls(house, interface=USER_INFO):
    return house.platform.calls(interface)


def test_every_account_is_read_once_where_nothing_fails(house, workers):
    house.connect(200)
    run = house.finish(house.begin())
    assert run.finished_at and Reading.objects.count() == 200
    assert set(calls(house).values()) == {1}
    assert_sound(house, run)


# --- Down and up again ------------------------------------------------------------------------------------------------


def test_half_an_hour_of_errors_costs_few_calls_and_everybody_is_read_after_it(house, workers):
    """The worker's patience is a tenth to a sixtieth of the product's, so that these seconds are its half hour: the
    breaker has long come to its longest rest, and a new try is made as often as in the real one. Whom the platform was
    tried with so often that the account's own limit is reached goes without a figure and says so; nobody else does."""
    house.connect(200)
    house.platform.break_(USER_INFO, "http_500")
    run = house.begin()
    end = time.monotonic() + 12
    house.wait(lambda: time.monotonic() > end)
    in_vain = dict(calls(house))
    assert not Reading.objects.exists()

    house.platform.mend()
    run = house.finish(run)

    used_up = {handle for handle, count in in_vain.items() if count == 4}
    spent = CallBudget.objects.get().spent
    print(f"down: {sum(in_vain.values())} calls for 200 accounts, {len(used_up)} used up; spent in all: {spent}")  # noqa: T201
    assert run.finished_at and set(failures(run)) == used_up and len(used_up) <= 8
    assert sum(in_vain.values()) <= 200
    assert_sound(house, run)


@pytest.mark.parametrize(("retry_after", "seconds"), [("5", 5), ("date:5", 5)])
def test_patience_the_platform_asks_for_is_kept_by_all_workers(house, workers, retry_after, seconds):
    house.connect(200)
    run = house.begin()
    house.wait(lambda: len(arrivals(house)) > 30)
    house.platform.break_(USER_INFO, "http_429", times=1, retry_after=retry_after)
    fault = house.platform.state.faults[0]
    house.wait(lambda: fault.times == 0)
    asked_at = time.monotonic()

    run = house.finish(run)

    # What was on its way arrives; a date has whole seconds, and the clock may strike between it and the Date header.
    early = [instant for instant in arrivals(house) if asked_at + 1 < instant < asked_at + seconds - 1.2]
    assert early == [] and max(arrivals(house)) > asked_at + seconds - 1.2
    assert run.finished_at and Reading.objects.count() == 200
    assert_sound(house, run)


# --- Answers that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("truncated", "not_json"),
        ("html", "not_json"),
        ("missing_fan", "missing"),
        ("redirect", "302"),
    ],
)
def test_an_answer_without_a_figure_is_a_reason_and_no_reading(house, workers, kind, code):
    house.connect(40)
    for handle in ("ks0003", "ks0030"):
        house.platform.break_(USER_INFO, kind, handle=handle)

    run = house.finish(house.begin())

    assert run.finished_at and Reading.objects.count() == 38
    assert failures(run) == dict.fromkeys(("ks0003", "ks0030"), (Failure.BAD_ANSWER, code))
    assert set(calls(house).values()) == {1} and arrivals(house, TRAP) == []
    assert_sound(house, run)


def test_a_byte_every_five_seconds_holds_nobody_up(house, workers):
    house.connect(40)
    house.platform.break_(USER_INFO, "slow", handle="ks0003", times=1)
    house.platform.break_(USER_INFO, "slow", handle="ks0030", times=2)

    run = house.finish(house.begin())

    assert run.finished_at and Reading.objects.count() == 40 and failures(run) == {}
    assert calls(house)["ks0003"] == 2 and calls(house)["ks0030"] == 3
    assert_sound(house, run)


@pytest.mark.parametrize("kind", ["huge", "huge_declared"])
def test_a_body_of_a_gigabyte_is_refused_unread(house, workers, kind):
    house.connect(40)
    for n in range(0, 40, 4):
        house.platform.break_(USER_INFO, kind, handle=f"ks{n:04d}")
    forget_peaks(workers)
    before = sum(memory(pid, "VmRSS") for pid in workers.children())

    run = house.finish(house.begin())

    grown = sum(memory(pid, "VmHWM") for pid in workers.children()) - before
    print(f"{kind}: four workers grew by {grown / 1024:.0f} MB over ten such bodies")  # noqa: T201
    assert grown < 100 * 1024
    assert run.finished_at and Reading.objects.count() == 30
    assert set(failures(run).values()) == {(Failure.BAD_ANSWER, "too_large")}
    assert_sound(house, run)


def memory(pid, name):
    """A figure of a process's memory, in KB: ``VmRSS`` is now, ``VmHWM`` the most so far."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def forget_peaks(workers):
    """Let the most so far be what is now."""
    for pid in workers.children():
        Path(f"/proc/{pid}/clear_refs").write_text("5")


# --- Tokens and settings ----------------------------------------------------------------------------------------------


def test_an_exchange_whose_answer_is_lost_asks_for_consent_and_says_why(house, workers):
    house.connect(40, is_due=True)
    house.platform.break_(REFRESH, "lost_answer", handle="ks0003", times=1)

    run = house.finish(house.begin())

    assert run.finished_at and Reading.objects.count() == 39
    assert failures(run) == {"ks0003": (Failure.REAUTHORISE, "100200102")}
    assert needing_consent() == ["ks0003"]
    assert calls(house, REFRESH) == {f"ks{n:04d}": 1 for n in range(40)} | {"ks0003": 2}
    assert_sound(house, run, lost=["ks0003"])


def test_a_token_revoked_on_the_platform_asks_for_consent(house, workers):
    house.connect(40)
    house.platform.state.revoke("ks0003")

    run = house.finish(house.begin())

    assert run.finished_at and Reading.objects.count() == 39
    assert failures(run) == {"ks0003": (Failure.REAUTHORISE, "100200109")} and needing_consent() == ["ks0003"]
    assert calls(house)["ks0003"] == 1
    assert_sound(house, run)


def needing_consent():
    found = CreatorAccount.objects.filter(state=AccountState.NEEDS_CONSENT)
    return list(found.values_list("handle", flat=True))


def test_a_wrong_secret_stops_the_run_with_a_sentence_and_costs_nobody_his_consent(house, workers):
    house.connect(200, is_due=True)
    with secret_changed(house):
        run = house.finish(house.begin())
        assert run.has_stopped and run.error and not Reading.objects.exists()
        assert_sound(house, run)

    run = house.finish(resume_run(run))

    assert run.finished_at and Reading.objects.count() == 200 and not RefreshFailure.objects.exists()
    assert needing_consent() == []
    assert_sound(house, run)


@contextlib.contextmanager
def secret_changed(house):
    """On the platform's side, as when somebody renewed it there and told nobody."""
    apps = house.platform._app[APPS]
    apps["kuaishou"] = App(APP_ID, "renewed-and-told-nobody")
    try:
        yield
    finally:
        apps["kuaishou"] = App(APP_ID, APP_SECRET)


# --- Secrets ----------------------------------------------------------------------------------------------------------


def test_a_consent_leaves_no_code_and_no_token_in_a_log(house, settings):
    """The desk's own calls: the code comes back to it. What every other test leaves in its logs is looked at too."""
    settings.KUAISHOU_BASE_URL = house.platform.url
    account, user = CreatorAccountFactory(handle="ks0001", state=AccountState.UNLINKED), UserFactory()
    state = begin_consent(account, by=user, at=AT, session="of the test").partition("state=")[2].partition("&")[0]
    code = house.platform.state.issue_code("ks0001")

    complete_consent(state=state, code=code, by=user, at=AT, session="of the test")

    kept = Authorisation.objects.get(account=account)
    assert house.consent("ks0001").refresh_token == kept.refresh_token
    assert secrets_in_logs(house, code, state) == []


def test_a_secret_in_a_log_would_be_found(house):
    """The search can fail."""
    token = house.consents.give("ks0001").refresh_token
    planted = house.logs / "planted.log"
    planted.write_text(f"GET /oauth2/refresh_token?refresh_token={token} 200")
    assert secrets_in_logs(house) == [f"planted.log: {token[:4]}…"]
    planted.unlink()

"""What must be true after a run, whatever happened to it."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db.models import Sum

from incubator.jobs.models import Job
from incubator.metrics.choices import Platform
from incubator.metrics.models import (
    AccountCalls,
    Authorisation,
    CallBudget,
    Correction,
    CreatorAccount,
    Crossing,
    LatestReading,
    QuarantinedReading,
    Reading,
    RefreshFailure,
    RefreshRun,
    RegionDay,
)
from incubator.metrics.platforms import calls_per_account, daily_budget
from tests.faults.house import DAY, USER_INFO, House
from tests.platform import APP_SECRET, CLIENT_SECRET

RESULTS = (Reading, LatestReading, Correction, Crossing, QuarantinedReading, RegionDay, RefreshFailure)
BY_CHANCE = {"id", "fetched_at", "at", "run_id"}  # columns that differ from one run to the next


def assert_sound(house: House, run: RefreshRun, *, lost: Iterable[str] = ()) -> None:
    """Every row is true, every call was allowed, every token of ours is the platform's newest, but for ``lost``."""
    assert_figures_are_true(house)
    assert_everybody_is_accounted_for(run)
    assert_calls_were_allowed(house)
    assert_tokens_are_the_newest(house, lost)


def assert_figures_are_true(house: House) -> None:
    figures = dict(Reading.objects.filter(day=DAY).values_list("account__handle", "followers"))
    assert figures == {handle: house.platform.state.followers(handle) for handle in figures}
    assert dict(LatestReading.objects.values_list("account__handle", "followers")) == figures
    assert Reading.objects.count() == len(figures) and not Correction.objects.exists()
    for kept in RegionDay.objects.all():
        assert (kept.accounts, kept.followers, kept.read) == (len(figures), sum(figures.values()), len(figures))


def assert_everybody_is_accounted_for(run: RefreshRun) -> None:
    """Of a run that is done every account has a figure or a reason; one that is not says why."""
    run.refresh_from_db()
    read = set(Reading.objects.filter(day=DAY).values_list("account_id", flat=True))
    failed = set(run.failures.values_list("account_id", flat=True))
    assert not read & failed
    assert run.batches.aggregate(n=Sum("read"))["n"] == len(read)
    assert not Job.objects.live().exists()
    if run.finished_at:
        planned = {pk for batch in run.batches.all() for pk in batch.account_ids}
        assert planned == read | failed
    else:
        assert run.has_stopped and run.error


def assert_calls_were_allowed(house: House) -> None:
    """The platform counted no more calls than were spent, for anybody; and no more were spent than there are."""
    spent = dict(AccountCalls.objects.values_list("account_id", "calls"))
    handles = dict(CreatorAccount.objects.values_list("pk", "handle"))
    by_handle = {handles[pk]: calls for pk, calls in spent.items()}
    for handle, calls in house.platform.calls(USER_INFO).items():
        assert calls <= by_handle[handle] <= calls_per_account(Platform.KUAISHOU), handle
    budget = CallBudget.objects.get(platform=Platform.KUAISHOU, day=DAY)
    assert sum(spent.values()) == budget.spent <= daily_budget(Platform.KUAISHOU)


def assert_tokens_are_the_newest(house: House, lost: Iterable[str]) -> None:
    for authorisation in Authorisation.objects.exclude(account__handle__in=lost).select_related("account"):
        consent = house.consent(authorisation.account.handle)
        assert authorisation.refresh_token == consent.refresh_token, authorisation.account.handle
        assert authorisation.access_token in [*consent.access, ""] or consent.refresh_until == 0
        assert authorisation.claimed_until is None


def fingerprint() -> str:
    """One hash over the tables that a run leaves behind, but for what is chance: numbers, instants, order."""
    rows = [(model.__name__, _plain(row)) for model in RESULTS for row in model.objects.values()]
    return hashlib.sha256(repr(sorted(map(repr, rows))).encode()).hexdigest()


def _plain(row: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in sorted(row.items()) if name not in BY_CHANCE]


# --- Secrets ----------------------------------------------------------------------------------------------------------


def secrets_of(house: House) -> set[str]:
    """Everything that no log may hold: what the platform gave, the application's secrets, and our keys."""
    ours = {APP_SECRET, CLIENT_SECRET, settings.PERSONAL_DATA_KEY, settings.PERSONAL_INDEX_KEY, settings.SECRET_KEY}
    return ours | {*house.consents.by_access, *house.consents.by_refresh}


def secrets_in_logs(house: House, *more: str) -> list[str]:
    """Which log holds which secret, the secret told by its first letters."""
    secrets = secrets_of(house) | set(more)
    return [
        f"{log.name}: {secret[:4]}…"
        for log in house.logs.iterdir()
        for text in [log.read_text(errors="replace")]
        for secret in secrets
        if secret in text
    ]

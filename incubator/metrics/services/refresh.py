"""Refresh runs: one day's readings of one platform, in batches that are jobs.

What has been read is known from the readings themselves, so a batch can be stopped anywhere and done again: it goes on
with the accounts that have no reading of the day yet, and a call is not spent twice.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.choices import LIVE
from incubator.jobs.models import Job
from incubator.jobs.services import ask_for_job, cancel_job
from incubator.metrics.models import (
    CreatorAccount,
    QuarantinedReading,
    Reading,
    RefreshBatch,
    RefreshFailure,
    RefreshRun,
)
from incubator.metrics.partitions import ensure_partitions
from incubator.metrics.services.calls import calls_left
from incubator.metrics.services.plan import plan_day

ACCOUNTS_PER_BATCH = 500
SAME_CLOCK = timedelta(hours=1)  # a run asked for as of now, give or take what asking takes


class NothingLeft(RuleBroken):
    """Every account of the run has been read."""


def start_refresh(*, platform: str, day: date, at: datetime, by: Any = None) -> RefreshRun:
    """Begin the run of a day, or go on with the one there is. ``at`` is the instant it is for: now, but for demos.

    Raises ``RuleBroken`` for a day that ``at`` is not in, ``NothingLeft`` when all is read.
    """
    if timezone.localtime(at).date() != day and not RefreshRun.objects.filter(platform=platform, day=day).exists():
        raise RuleBroken(_("Followers can be read for the day that is now only; a platform tells no other."))
    ensure_partitions(on=day)
    with transaction.atomic():
        shift = at - timezone.now()
        run, is_new = RefreshRun.objects.get_or_create(
            platform=platform,
            day=day,
            defaults={
                "started_at": at,
                "clock_shift": timedelta() if abs(shift) < SAME_CLOCK else shift,
            },
        )
        if not is_new:
            return resume_run(run, by=by)
        return _plan(run, by=by)


def _plan(run: RefreshRun, *, by: Any) -> RefreshRun:
    """Choose the accounts of the day within what the budget holds, and ask for their batches."""
    plan = plan_day(run.platform, day=run.day, budget=calls_left(run.platform, run.day))
    run.planned, run.budget = plan.cost, plan.budget
    run.reasons = {reason.name.lower(): count for reason, count in plan.reasons.items() if count}
    run.finished_at = None if plan.cost else timezone.now()
    run.save(update_fields=["planned", "budget", "reasons", "finished_at"])
    _add_batches(run, plan.account_ids, by=by)
    return run


@transaction.atomic
def resume_run(run: RefreshRun, *, by: Any = None) -> RefreshRun:
    """Do what is left of a run: its stopped batches, and once it is finished the accounts that failed."""
    run = _locked(run)
    if clock_of(run).date() != run.day:
        raise RuleBroken(_("The day of this run is over. Followers of a past day cannot be read any more."))
    RefreshRun.objects.filter(pk=run.pk).update(stop_asked_at=None, error="")
    left = list(run.batches.filter(finished_at=None).exclude(job__state__in=LIVE))
    for batch in left:
        _ask(batch, by=by)
    if run.finished_at is not None:
        _read_failed_again(run, by=by)
    run.refresh_from_db()
    return run


def _read_failed_again(run: RefreshRun, *, by: Any) -> None:
    missing = _without_reading(run)
    if not missing:
        raise NothingLeft(_("Every account of this run has been read; there is nothing left to do."))
    RefreshRun.objects.filter(pk=run.pk).update(finished_at=None)
    RefreshFailure.objects.filter(run=run, account__in=missing).delete()
    _add_batches(run, missing, by=by)


@transaction.atomic
def stop_run(run: RefreshRun, *, by: Any = None, why: str = "") -> RefreshRun:
    """Let go of a run: waiting batches end at once, running ones at their next safe point. It can be resumed."""
    run = _locked(run)
    if run.finished_at is not None:
        raise RuleBroken(_("This run is finished; there is nothing to stop."))
    RefreshRun.objects.filter(pk=run.pk).update(stop_asked_at=timezone.now(), error=why)
    for job in Job.objects.live().filter(pk__in=run.batches.filter(finished_at=None).values("job")):
        cancel_job(job, by=by)
    run.refresh_from_db()
    return run


def _locked(run: RefreshRun) -> RefreshRun:
    return RefreshRun.objects.select_for_update().get(pk=run.pk)


def clock_of(run: RefreshRun) -> datetime:
    """The time by the run's clock: now, but for demos."""
    return timezone.localtime(timezone.now() + run.clock_shift)


def answered(run: RefreshRun, accounts: Iterable[int]) -> set[int]:
    """Accounts whose figure of the day is there, as a reading or held back; or of the day before, by this very run.

    A platform that tells days back may not have today's yet. An unusable answer has no figure.
    """
    theirs = Q(day=run.day) | Q(day=run.day - timedelta(days=1), run=run)
    accounts = list(accounts)
    read = Reading.objects.filter(theirs, account_id__in=accounts).values_list("account_id", flat=True)
    held = QuarantinedReading.objects.with_figure().filter(theirs, account_id__in=accounts)
    return {*read, *held.values_list("account_id", flat=True)}


def _without_reading(run: RefreshRun) -> list[int]:
    planned = {pk for ids in run.batches.values_list("account_ids", flat=True) for pk in ids}
    left = planned - answered(run, planned)
    return sorted(CreatorAccount.objects.linked().filter(pk__in=left).values_list("pk", flat=True))


def _add_batches(run: RefreshRun, ids: list[int], *, by: Any) -> None:
    first = run.batches.count()
    for number, start in enumerate(range(0, len(ids), ACCOUNTS_PER_BATCH), first):
        some = ids[start : start + ACCOUNTS_PER_BATCH]
        _ask(RefreshBatch.objects.create(run=run, number=number, account_ids=some), by=by)


def _ask(batch: RefreshBatch, *, by: Any) -> None:
    batch.job = ask_for_job(
        "refresh_batch",
        key=str(batch.pk),
        title=_("Followers of %(day)s, batch %(number)s") % {"day": batch.run.day, "number": batch.number + 1},
        by=by,
        total=len(batch.account_ids),
        batch=batch.pk,
    )
    batch.save(update_fields=["job"])


@transaction.atomic
def finish_batch(batch: RefreshBatch) -> None:
    """The batch is done; with the last one the run is, and is looked over. Safe to call twice and by two at once."""
    now = timezone.now()
    run = _locked(batch.run)  # of two last batches at once, the second sees that the first is done
    run.batches.filter(pk=batch.pk, finished_at=None).update(finished_at=now)
    if run.finished_at is None and not run.batches.filter(finished_at=None).exists():
        RefreshRun.objects.filter(pk=run.pk).update(finished_at=now)
        title = _("Events of the platform on %(day)s") % {"day": run.day}
        ask_for_job("notice_events", key=str(run.pk), title=title, run=run.pk)

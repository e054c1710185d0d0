"""Refresh runs: one day's readings of one platform, in batches that are jobs.

What has been read is known from the readings themselves, so a batch can be stopped anywhere and done again: it goes on
with the accounts that have no reading of the day yet, and a call is not spent twice.
"""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.jobs.choices import LIVE
from incubator.jobs.services import ask_for_job
from incubator.metrics.models import CreatorAccount, Reading, RefreshBatch, RefreshRun
from incubator.metrics.partitions import ensure_partitions

ACCOUNTS_PER_BATCH = 300


@transaction.atomic
def start_refresh(*, platform: str, day: date, at: datetime, by: Any = None) -> RefreshRun:
    """Begin the run of a day, or go on with the one there is. ``at`` is the instant it is for: now, but for demos."""
    ensure_partitions(on=day)
    run, is_new = RefreshRun.objects.get_or_create(platform=platform, day=day, defaults={"started_at": at})
    run = RefreshRun.objects.select_for_update().get(pk=run.pk)
    if not is_new:
        return resume_run(run, by=by)
    ids = list(CreatorAccount.objects.linked().filter(platform=platform).order_by("pk").values_list("pk", flat=True))
    RefreshRun.objects.filter(pk=run.pk).update(planned=len(ids), finished_at=None if ids else timezone.now())
    _add_batches(run, ids, at=at, by=by)
    run.refresh_from_db()
    return run


@transaction.atomic
def resume_run(run: RefreshRun, *, by: Any = None) -> RefreshRun:
    """Do what is left of a run: its stopped batches, and once it is finished the accounts that failed."""
    if run.finished_at is None:
        for batch in run.batches.filter(finished_at=None).exclude(job__state__in=LIVE):
            _ask(batch, at=run.started_at, by=by)
        return run
    missing = _without_reading(run)
    if not missing:
        raise RuleBroken(_("Every account of this run has been read; there is nothing left to do."))
    RefreshRun.objects.filter(pk=run.pk).update(finished_at=None)
    _add_batches(run, missing, at=run.started_at, by=by)
    run.refresh_from_db()
    return run


def _without_reading(run: RefreshRun) -> list[int]:
    planned = {pk for ids in run.batches.values_list("account_ids", flat=True) for pk in ids}
    read = set(Reading.objects.filter(day=run.day, account_id__in=planned).values_list("account_id", flat=True))
    return sorted(CreatorAccount.objects.linked().filter(pk__in=planned - read).values_list("pk", flat=True))


def _add_batches(run: RefreshRun, ids: list[int], *, at: datetime, by: Any) -> None:
    first = run.batches.count()
    for number, start in enumerate(range(0, len(ids), ACCOUNTS_PER_BATCH), first):
        some = ids[start : start + ACCOUNTS_PER_BATCH]
        _ask(RefreshBatch.objects.create(run=run, number=number, account_ids=some), at=at, by=by)


def _ask(batch: RefreshBatch, *, at: datetime, by: Any) -> None:
    batch.job = ask_for_job(
        "refresh_batch",
        key=str(batch.pk),
        title=_("Followers of %(day)s, batch %(number)s") % {"day": batch.run.day, "number": batch.number + 1},
        by=by,
        total=len(batch.account_ids),
        batch=batch.pk,
        at=at.isoformat(),
    )
    batch.save(update_fields=["job"])


def finish_batch(batch: RefreshBatch) -> None:
    """The batch is done; with the last one the run is. Safe to call twice and by two at once."""
    now = timezone.now()
    RefreshBatch.objects.filter(pk=batch.pk, finished_at=None).update(finished_at=now)
    if not RefreshBatch.objects.filter(run_id=batch.run_id, finished_at=None).exists():
        RefreshRun.objects.filter(pk=batch.run_id, finished_at=None).update(finished_at=now)

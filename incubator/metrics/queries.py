"""Reads of this room: the history a chart is drawn from, and the pace of a run."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Min
from django.utils import timezone

from incubator.metrics.models import CallBudget, Reading, RefreshRun

FRESH_DAYS = 7  # a reading is fresh for so long, wherever a share of fresh ones is told


def history(account_ids: list[int], *, since: date, until: date) -> dict[int, list[tuple[date, int]]]:
    """Readings ``(day, followers)`` in order of days, by account; one query."""
    # Day after day by the key (day, account): an index by account exists in closed months only.
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    rows = Reading.objects.filter(account_id__in=account_ids, day__in=days).order_by("account_id", "day")
    found: dict[int, list[tuple[date, int]]] = {pk: [] for pk in account_ids}
    for account_id, day, followers in rows.values_list("account_id", "day", "followers"):
        found[account_id].append((day, followers))
    return found


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run gets on. ``a_minute`` and ``ends_at`` are None until there is something to judge by."""

    left: int
    a_minute: int | None
    ends_at: datetime | None
    calls: int


def pace_of(run: Any) -> Pace:
    """The pace of a run annotated with ``read_count`` and ``failed_count``, over the time its jobs have worked."""
    done = run.read_count + run.failed_count
    left = max(0, run.planned - done)
    began = RefreshRun.objects.filter(pk=run.pk).aggregate(at=Min("batches__job__started_at"))["at"]
    spent = CallBudget.objects.filter(platform=run.platform, day=run.day).values_list("spent", flat=True).first()
    if began is None or not done:
        return Pace(left, None, None, spent or 0)
    seconds = max(1.0, ((run.finished_at or timezone.now()) - began).total_seconds())
    ends_at = run.finished_at or timezone.now() + timedelta(seconds=left * seconds / done)
    return Pace(left, round(done * 60 / seconds), ends_at, spent or 0)

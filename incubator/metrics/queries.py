"""Reads of this room: coverage, and the history a chart is drawn from."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from incubator.metrics.interests import ran_traffic
from incubator.metrics.models import CallBudget, CreatorAccount, Reading, RefreshRun, Spike

FRESH_DAYS = 7


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many connected accounts have a reading of the last seven days, and the newest day of any."""

    accounts: int
    fresh: int
    as_of: date | None

    @property
    def percent(self) -> int | None:
        """None when there is nothing to cover: unknown is never 0."""
        return self.fresh * 100 // self.accounts if self.accounts else None


def coverage(accounts: QuerySet[CreatorAccount], *, on: date) -> Coverage:
    """Coverage of some accounts (already scoped) on a day, in two queries."""
    linked = accounts.linked()  # type: ignore[attr-defined]
    fresh = linked.filter(latest__day__gt=on - timedelta(days=FRESH_DAYS), latest__day__lte=on)
    return Coverage(linked.count(), fresh.count(), accounts.aggregate(day=Max("latest__day"))["day"])


def history(account_ids: list[int], *, since: date, until: date) -> dict[int, list[tuple[date, int]]]:
    """Readings ``(day, followers)`` in order of days, by account; one query."""
    # Day after day by the key (day, account): an index by account exists in closed months only.
    days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
    rows = Reading.objects.filter(account_id__in=account_ids, day__in=days).order_by("account_id", "day")
    found: dict[int, list[tuple[date, int]]] = {pk: [] for pk in account_ids}
    for account_id, day, followers in rows.values_list("account_id", "day", "followers"):
        found[account_id].append((day, followers))
    return found


def with_traffic(leaps: QuerySet[Spike]) -> QuerySet[Spike]:
    """Annotate ``ran_traffic``: whether the trainee ran under a grant that day, which explains a leap."""
    return leaps.annotate(ran_traffic=ran_traffic("account__trainee_id", "day"))


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

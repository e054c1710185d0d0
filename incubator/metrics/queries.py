"""Reads of this room: coverage, and the history a chart is drawn from."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Max, QuerySet

from incubator.metrics.models import CreatorAccount, Reading

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

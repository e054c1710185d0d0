"""Reads of this room: the history a chart is drawn from, and the pace of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Min, QuerySet
from django.utils import timezone

from incubator.metrics.interests import ran_traffic
from incubator.metrics.models import CallBudget, Reading, RefreshRun, Spike

FRESH_DAYS = 7  # a reading is fresh for so long, wherever a share of fresh ones is told
ONE_DAY = timedelta(days=1)
# Months older than this are closed and have an index by account; newer ones are read day after day by the key.
OPEN_DAYS = timedelta(days=70)


def history(account_ids: list[int], *, since: date, until: date) -> dict[int, list[tuple[date, int]]]:
    """Readings ``(day, followers)`` in order of days, by account; one query."""
    # Day after day by the key (day, account): an index by account exists in closed months only.
    rows = Reading.objects.filter(account_id__in=account_ids, day__in=_days(since, until)).order_by("account_id", "day")
    found: dict[int, list[tuple[date, int]]] = {pk: [] for pk in account_ids}
    for account_id, day, followers in rows.values_list("account_id", "day", "followers"):
        found[account_id].append((day, followers))
    return found


def all_readings(account_id: int, *, until: date) -> Iterator[Reading]:
    """Every reading of an account in order of days, a thousand at a time; two queries."""
    rows = Reading.objects.filter(account_id=account_id).order_by("day")
    edge = until - OPEN_DAYS
    yield from rows.filter(day__lte=edge).iterator(1000)
    yield from rows.filter(day__in=_days(edge + ONE_DAY, until))


# The last reading of every so many days, counted back from the last day so that the newest is always one of them; and
# the first, from which the span is judged.
# ``gap`` is the longest time without a reading that ends in these days: thinning must not hide it.
THINNED = """
WITH stored AS (
    SELECT day, followers FROM metrics_reading
    WHERE account_id = %(account)s AND day BETWEEN %(since)s AND %(edge)s
    UNION ALL
    SELECT day, followers FROM metrics_reading WHERE account_id = %(account)s AND day = ANY(%(days)s)
),
spaced AS (
    SELECT day, followers, day - lag(day) OVER (ORDER BY day) AS gap,
        CASE WHEN lag(day) OVER (ORDER BY day) IS NULL THEN %(span)s ELSE (%(until)s::date - day) / %(step)s END
            AS bucket
    FROM stored
)
SELECT DISTINCT ON (bucket) day, followers, max(gap) OVER (PARTITION BY bucket) AS gap
FROM spaced ORDER BY bucket DESC, day DESC
"""
FIRST_DAY = "SELECT min(day) FROM metrics_reading WHERE account_id = %s AND day <= %s"


def thinned_history(account_id: int, *, since: date, until: date, most: int = 200) -> list[tuple[date, int, int]]:
    """At most ``most`` readings ``(day, followers, gap)`` of an account, oldest first; thinned to weeks.

    ``gap`` is the longest time in days between two readings that ends there, 0 before the first. One query.
    """
    span = (until - since).days + 1
    step = 1 if span <= most else 7 * -(-span // (7 * (most - 1)))
    edge = until - OPEN_DAYS
    parameters: dict[str, Any] = {
        "account": account_id,
        "since": since,
        "until": until,
        "edge": edge,
        "days": _days(max(since, edge + ONE_DAY), until),
        "step": step,
        "span": span,
    }
    with connection.cursor() as cursor:
        cursor.execute(THINNED, parameters)
        return [(day, followers, gap or 0) for day, followers, gap in cursor.fetchall()]


def first_read_on(account_id: int, *, until: date) -> date:
    """The day of an account's first reading; one without any, or with recent ones only, begins 70 days ago."""
    edge = until - OPEN_DAYS
    with connection.cursor() as cursor:
        cursor.execute(FIRST_DAY, [account_id, edge])
        return cursor.fetchone()[0] or edge + ONE_DAY


def _days(since: date, until: date) -> list[date]:
    return [since + timedelta(days=n) for n in range((until - since).days + 1)]


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

"""Writing one day's readings of every account, upon a short history and a long one."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db import connection

from incubator.metrics import reading_sql as sql
from incubator.metrics.models import Reading
from incubator.metrics.services.readings import Figures, Origin, copy_bytes, write_figures
from tests.bench.measure import Result, benchmark, rate, timed
from tests.bench.world import days_of_history, one, people_and_accounts, run, say

RUNS = 3
AT = datetime(2026, 12, 31, tzinfo=UTC)
LENGTHS = {"day_of_readings_30m": 30, "day_of_readings_100m": 100}


@benchmark(*LENGTHS)
def day_of_readings(accounts: int) -> list[Result]:
    people_and_accounts(accounts)
    results = []
    for name, days in LENGTHS.items():
        say(f"{name}: filling")
        last = days_of_history(days)
        results.append(_measure(name, accounts, last))
    short, long = results
    long.what += f" Time per day is {short.ours / long.ours:.2f} times that upon 30 days."
    return results


def _measure(name: str, accounts: int, last: date) -> Result:
    say(f"{name}: measuring")
    figures = _grown(last)
    limit: list[float] = []
    ours: list[float] = []
    for n in range(1, RUNS + 1):
        day = last + timedelta(days=n)
        figures = _next_day(figures, day)
        with timed(limit):
            _raw_copy(figures)
        with timed(ours):
            written = write_figures(figures, Origin("api", AT))
        if written.written + written.quarantined != accounts:
            raise RuntimeError(f"{written} of {accounts}")
    baseline: list[float] = []
    _baseline(_next_day(figures, last + timedelta(days=RUNS + 1)), baseline)
    stored = one("SELECT sum(reltuples)::bigint FROM pg_class WHERE relname ~ '^metrics_reading_2'")
    what = (
        f"a day's readings upon about {max(stored, 0):,} stored, with newest readings, crossings, leaps and regions; "
        "baseline: bulk_create(update_conflicts=True) of the readings alone; limit: binary COPY into an empty table."
    )
    return Result(name, what, "readings/s", rate(accounts, ours), rate(accounts, baseline), rate(accounts, limit),
                  runs=RUNS)  # fmt: skip


def _grown(last: date) -> Figures:
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id, followers FROM metrics_latestreading ORDER BY account_id")
        accounts, followers = (np.array(column, np.int64) for column in zip(*cursor.fetchall(), strict=True))
    return Figures(accounts, np.full(len(accounts), np.datetime64(last)), followers, np.full(len(accounts), 30))


def _next_day(figures: Figures, day: date) -> Figures:
    """Everybody gains up to one part in fifty."""
    followers = figures.followers + figures.followers * (figures.accounts % 7) // 350 + figures.accounts % 11
    days = np.full(len(followers), np.datetime64(day))
    return Figures(figures.accounts, days, followers, figures.following)


def _raw_copy(figures: Figures) -> None:
    run("DROP TABLE IF EXISTS raw")
    run("CREATE TABLE raw (account_id bigint, day date, followers integer, following integer)")
    with connection.cursor() as cursor, cursor.copy(sql.COPY.replace("incoming", "raw")) as copy:
        copy.write(copy_bytes(figures))


def _baseline(figures: Figures, seconds: list[float]) -> None:
    """The way Django offers; a day of its own, taken away again."""
    day = figures.days[0].astype(date)
    rows = zip(figures.accounts.tolist(), figures.followers.tolist(), figures.following.tolist(), strict=True)
    with timed(seconds):
        Reading.objects.bulk_create(
            (Reading(day=day, account_id=a, followers=f, following=w, fetched_at=AT) for a, f, w in rows),
            batch_size=5000,
            update_conflicts=True,
            unique_fields=["day", "account"],
            update_fields=["followers", "following", "fetched_at"],
        )
    run("DELETE FROM metrics_reading WHERE day = %(day)s", day=day)

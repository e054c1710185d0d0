"""Writing one day's readings of every account, upon a short history and a long one."""

from datetime import UTC, date, datetime, timedelta
from statistics import median

import numpy as np
from django.db import connection, transaction

from incubator.metrics.services.readings import COPY_END, COPY_SIGNATURE, EPOCH, Figures, Origin, _stage, write_figures
from tests.bench.django_day import Row, bulk_create_readings, write_day
from tests.bench.measure import Result, benchmark, rate, runs_at, timed
from tests.bench.world import days_of_history, passing_month, people_and_accounts, run, say

AT = datetime(2026, 12, 31, tzinfo=UTC)
ELSEWHERE = date(2026, 12, 31)
SAMPLE = 200_000  # readings the baseline writes at most; its pace does not change with their number
# A reading in PostgreSQL's binary COPY format, but for the run it came from, which is nothing here.
RAW_FIELDS = {"account_id": ">i8", "fetched_at": ">i8", "day": ">i4", "followers": ">i4", "following": ">i4",
              "source": "S3"}  # fmt: skip
RAW_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *(item for name, kind in RAW_FIELDS.items() for item in ((f"{name}_size", ">i4"), (name, kind))),
    ]
)
# What of a day's work is the writing of readings, in the words of ``reading_sql.WRITE``.
HISTORY = """
INSERT INTO metrics_reading (account_id, fetched_at, run_id, day, followers, following, source)
SELECT account_id, %(at)s, %(run)s, %(day)s, followers, following, %(source)s FROM incoming
ON CONFLICT (day, account_id) DO NOTHING
"""
LENGTHS = {"day_of_readings_30m": 30, "day_of_readings_100m": 100}


@benchmark("write_readings")
def write_readings(accounts: int) -> list[Result]:
    """The writing alone, like for like: what else a day's work is stands in the rows below."""
    people_and_accounts(accounts)
    days_of_history(min(LENGTHS.values()))
    figures = _next_day(_grown(ELSEWHERE), ELSEWHERE)
    limit: list[float] = []
    ours: list[float] = []
    baseline: list[float] = []
    runs = runs_at(accounts)
    for n in range(1, runs + 1):
        say(f"write_readings: measuring, run {n} of {runs}")
        with timed(limit):
            _raw_copy(figures)
        with passing_month(ELSEWHERE), timed(ours):
            _write_alone(figures)
        baseline.append(_readings_by_django(figures))
    what = (
        "readings written and nothing else, by COPY to staging and one statement; baseline: "
        f"bulk_create(update_conflicts=True), {min(accounts, SAMPLE):,} of them; limit: binary COPY of the same rows "
        "into an empty table without keys."
    )
    return [Result("write_readings", what, "readings/s", rate(accounts, ours), median(baseline), rate(accounts, limit),
                   runs=runs)]  # fmt: skip


def _write_alone(figures: Figures) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        _stage(cursor, figures)
        cursor.execute(HISTORY, Origin("api", AT).values(ELSEWHERE))


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
    """Limit, ours and baseline take turns, so that what else the machine does falls on all three."""
    figures = _grown(last)
    limit: list[float] = []
    ours: list[float] = []
    baseline: list[float] = []
    alone: list[float] = []
    runs = runs_at(accounts)
    for n in range(1, runs + 1):
        say(f"{name}: measuring, run {n} of {runs}")
        figures = _next_day(figures, last + timedelta(days=n))
        with timed(limit):
            _raw_copy(figures)
        with timed(ours):
            written = write_figures(figures, Origin("api", AT))
        say(f"  copied in {limit[-1]:.1f} s, written in {ours[-1]:.1f} s")
        if written.written + written.quarantined != accounts:
            raise RuntimeError(f"{written} of {accounts}")
        run("VACUUM metrics_latestreading")  # as autovacuum does between one day and the next
        baseline.append(_day_by_django(figures))
        alone.append(_readings_by_django(figures))
    what = (
        f"a day's readings upon {accounts * LENGTHS[name]:,} stored, with newest readings, crossings, leaps and "
        "regions; baseline: the same by bulk_create(update_conflicts=True) of each table, "
        f"{min(accounts, SAMPLE):,} of them; limit: binary COPY of the same rows into an empty table without keys. "
        f"{rate(accounts, ours) / median(alone):.2f} times bulk_create of the readings alone."
    )
    return Result(name, what, "readings/s", rate(accounts, ours), median(baseline), rate(accounts, limit),
                  runs=runs)  # fmt: skip


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
    """The same rows with all their columns, and nothing else: no key, no index, no question asked."""
    run("DROP TABLE IF EXISTS raw")
    run("CREATE TABLE raw (LIKE metrics_reading)")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY raw ({', '.join(RAW_FIELDS)}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(_raw_bytes(figures))


def _raw_bytes(figures: Figures) -> bytes:
    rows = np.empty(len(figures.accounts), RAW_ROW)
    rows["fields"] = len(RAW_FIELDS)
    for name in RAW_FIELDS:
        rows[f"{name}_size"] = rows[name].dtype.itemsize
    rows["account_id"], rows["day"] = figures.accounts, (figures.days - EPOCH).astype(np.int64)
    rows["followers"], rows["following"], rows["source"] = figures.followers, figures.following, b"api"
    rows["fetched_at"] = (np.datetime64(AT.replace(tzinfo=None)) - EPOCH) // np.timedelta64(1, "us")
    return COPY_SIGNATURE + rows.tobytes() + COPY_END


def _readings_by_django(figures: Figures) -> float:
    """Readings a second, into a month of its own that is gone afterwards."""
    rows, seconds = _sample(figures), []
    with passing_month(ELSEWHERE), timed(seconds):
        bulk_create_readings(rows, ELSEWHERE, AT)
    return rate(len(rows), seconds)


def _day_by_django(figures: Figures) -> float:
    """Readings a second, the whole of the day's work; nothing of it stays."""
    rows, seconds = _sample(figures), []
    with passing_month(ELSEWHERE), transaction.atomic():
        with timed(seconds):
            write_day(rows, ELSEWHERE, AT)
        transaction.set_rollback(True)
    run("VACUUM metrics_latestreading")
    return rate(len(rows), seconds)


def _sample(figures: Figures) -> list[Row]:
    columns = (figures.accounts, figures.followers, figures.following)
    return list(zip(*(column[:SAMPLE].tolist() for column in columns), strict=True))

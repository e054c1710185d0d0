"""A country of accounts with years of readings, made by the database itself: what is measured is not the filling."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import groupby

from django.core.management import call_command
from django.db import connection

from incubator.metrics.partitions import month_of, months_there, months_wanted, next_month, partition_name
from incubator.metrics.rollups import BINS, COUNTRY, EDGES

FIRST = date(2026, 4, 1)  # a month of 30 days: a history of 30 days ends with it
ASIDE = "aside_"

PEOPLE = """
INSERT INTO trainees_trainee (number, name, county_id{more_columns})
SELECT 'B' || lpad(n::text, 9, '0'), '学员' || n, county.code{more_values}
FROM generate_series(1, %(people)s) AS n
JOIN (
    SELECT code, row_number() OVER (ORDER BY code) - 1 AS place
    FROM regions_region WHERE level = 'county' AND retired_on IS NULL
) AS county ON county.place = n %% (SELECT count(*) FROM regions_region WHERE level = 'county' AND retired_on IS NULL)
"""
# One person in twenty has a second account. Sizes are spread over five orders of magnitude.
ACCOUNTS = """
INSERT INTO metrics_creatoraccount (trainee_id, platform, handle, state)
SELECT id, 'kuaishou', 'b' || n, 'linked' FROM (
    SELECT id, row_number() OVER (ORDER BY id) AS n FROM trainees_trainee
    UNION ALL
    SELECT id, %(people)s + row_number() OVER (ORDER BY id) FROM (
        SELECT id FROM trainees_trainee ORDER BY id LIMIT %(seconds)s
    ) AS second
) AS each
"""
NEEDED = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_name = 'trainees_trainee' AND is_nullable = 'NO' AND column_default IS NULL
    AND column_name NOT IN ('id', 'number', 'name', 'county_id')
"""
FOLLOWERS = "(40 + power(10::float8, 1.5 + (id %% 997) / 250::float8))::int"
DAY = """
INSERT INTO {table} (account_id, fetched_at, day, followers, following, source)
SELECT id, %(day)s::date + interval '3 hours', %(day)s, {followers} + (id %% 50) * (%(n)s + 1)::int, 30, 'api'
FROM metrics_creatoraccount ORDER BY id
"""
FILLED = """
SELECT day FROM unnest(%s::date[]) AS day WHERE EXISTS (SELECT FROM metrics_reading WHERE metrics_reading.day = day.day)
"""
NEWEST = """
TRUNCATE metrics_latestreading;
INSERT INTO metrics_latestreading
    (account_id, day, followers, fetched_at, source, previous_day, previous_followers, growth, peak)
SELECT account_id, day, followers, fetched_at, source, day - 1, followers - account_id %% 50, account_id %% 50,
    followers
FROM metrics_reading WHERE day = %(day)s
"""
REGIONS = """
TRUNCATE metrics_regionday;
WITH person AS (
    SELECT trainee_id, county_id, max(followers) AS peak, count(*) AS accounts, sum(followers) AS followers
    FROM metrics_latestreading
    JOIN metrics_creatoraccount account ON account.id = account_id
    JOIN trainees_trainee trainee ON trainee.id = trainee_id GROUP BY trainee_id, county_id
),
placed AS (
    SELECT above.code, width_bucket(peak, %(edges)s::int[]) AS bin, count(*) AS people, sum(accounts) AS accounts,
        sum(followers) AS followers
    FROM person JOIN regions_region region ON region.code = county_id
    CROSS JOIN unnest(ARRAY[region.code, region.prefecture_id, region.province_id, %(country)s]) AS above (code)
    WHERE above.code IS NOT NULL GROUP BY 1, 2
),
place AS (SELECT code, sum(accounts) AS accounts, sum(followers) AS followers FROM placed GROUP BY code)
INSERT INTO metrics_regionday (code, day, accounts, followers, people, read, compared, growth)
SELECT code, %(day)s, accounts, followers, (
    SELECT array_agg(coalesce(placed.people, 0)::int ORDER BY bin.bin)
    FROM generate_series(0, %(last_bin)s) AS bin (bin)
    LEFT JOIN placed ON placed.code = place.code AND placed.bin = bin.bin
), accounts, 0, 0 FROM place
"""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def run(statement: str, **values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def one(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def people_and_accounts(accounts: int) -> None:
    """That many linked accounts, once."""
    if one("SELECT count(*) FROM metrics_creatoraccount") == accounts:
        return
    say(f"Making {accounts:,} accounts")
    run("TRUNCATE trainees_trainee, metrics_creatoraccount, metrics_reading, metrics_regionday CASCADE")
    call_command("load_divisions", verbosity=0)
    people = round(accounts / 1.05)
    run(PEOPLE.format(**_columns_that_must_be()), people=people)
    run(ACCOUNTS, people=people, seconds=accounts - people)
    run("ANALYZE trainees_trainee, metrics_creatoraccount")


def _columns_that_must_be() -> dict[str, str]:
    """Columns of a trainee that have no default, each with a value that says nothing."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDED)
        columns = cursor.fetchall()
    values = ("now()" if kind.startswith("timestamp") else "''" for _name, kind in columns)
    return {
        "more_columns": "".join(f", {name}" for name, _kind in columns),
        "more_values": "".join(f", {value}" for value in values),
    }


def days_of_history(days: int) -> date:
    """Readings of every account on exactly that many days from FIRST on; returns the last of them.

    What is there is kept for the next time: months behind the last day are set aside and brought back when a longer
    history is wanted. So a shorter history ends with a month.
    """
    last = FIRST + timedelta(days=days - 1)
    _bring_back()
    for month, missing in groupby(_missing(last), month_of):
        _fill(month, list(missing))
    _take_out_measured(last)
    for month in months_wanted(last):
        make_month(month)
    run(NEWEST, day=last)
    run("TRUNCATE metrics_crossing, metrics_spike, metrics_quarantinedreading")
    run(REGIONS, day=last, edges=list(EDGES), last_bin=BINS - 1, country=COUNTRY)
    for table in ("metrics_latestreading", "metrics_regionday", partition_name(last)):
        run(f"VACUUM ANALYZE {table}")
    return last


def _fill(month: date, days: list[date]) -> None:
    """A month that is not there is filled before it gets its indexes: that takes half the time."""
    name = partition_name(month)
    is_new = month not in months_there()
    target = f"{ASIDE}filling" if is_new else name
    if is_new:
        run(f"DROP TABLE IF EXISTS {target}")
        run(f"CREATE TABLE {target} (LIKE metrics_reading INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    for day in days:
        run(DAY.format(table=target, followers=FOLLOWERS), day=day, n=(day - FIRST).days)
        say(f"  readings of {day}")
    if is_new:
        run(f"ALTER TABLE {target} RENAME TO {name}")
        _attach(month)


def _missing(last: date) -> list[date]:
    """Days up to ``last`` without readings. A day is filled by one statement: it is there or it is not."""
    days = [FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)]
    with connection.cursor() as cursor:
        cursor.execute(FILLED, [days])
        filled = {day for (day,) in cursor.fetchall()}
    return [day for day in days if day not in filled]


def _take_out_measured(last: date) -> None:
    """Leave nothing behind ``last``: the longest history's own month loses what was measured, later months go aside."""
    for month in sorted(months_there()):
        if month > last:
            name = partition_name(month)
            run(f"ALTER TABLE metrics_reading DETACH PARTITION {name}")
            run(f"ALTER TABLE {name} RENAME TO {ASIDE}{name}")
    run("DELETE FROM metrics_reading WHERE day > %(day)s", day=last)


def _bring_back() -> None:
    """Months that were set aside, in place of those that were measured in meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s", [f"{ASIDE}metrics%"])
        aside = [name.removeprefix(ASIDE) for (name,) in cursor.fetchall()]
    for name in aside:
        month = date(int(name[-6:-2]), int(name[-2:]), 1)
        run(f"DROP TABLE IF EXISTS {name}")
        run(f"ALTER TABLE {ASIDE}{name} RENAME TO {name}")
        _attach(month)


def _attach(month: date) -> None:
    bounds = f"FROM ('{month}') TO ('{next_month(month)}')"
    run(f"ALTER TABLE metrics_reading ATTACH PARTITION {partition_name(month)} FOR VALUES {bounds}")


def make_month(day: date) -> None:
    month = month_of(day)
    run(
        f"CREATE TABLE IF NOT EXISTS {partition_name(month)} PARTITION OF metrics_reading "
        f"FOR VALUES FROM ('{month}') TO ('{next_month(month)}')"
    )


@contextmanager
def passing_month(day: date) -> Iterator[None]:
    """A month of its own for ``day`` that is gone afterwards, with all that was written to it."""
    make_month(day)
    try:
        yield
    finally:
        run(f"DROP TABLE {partition_name(month_of(day))}")

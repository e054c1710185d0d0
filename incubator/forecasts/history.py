"""Readings as a matrix: accounts × days, NaN where nothing was read. One statement a matrix."""

from datetime import date

import numpy as np
from django.db import connection

# Day after day by the key (day, account): months that are still written have no index by account. A row a day, because
# a row a reading costs more to receive than to find.
READINGS = """
SELECT reading.day - %(first)s::date, array_agg(reading.account_id), array_agg(reading.followers)
FROM metrics_reading reading
WHERE reading.day BETWEEN %(first)s::date AND %(last)s::date AND reading.account_id = ANY(%(accounts)s::bigint[])
GROUP BY reading.day
"""
# Accounts of people who were in support at some time of the days; a sample that is the same whenever it is drawn.
SAMPLE = """
SELECT account.id
FROM metrics_creatoraccount account
WHERE EXISTS (
    SELECT FROM programmes_participation participation
    WHERE participation.trainee_id = account.trainee_id
        AND participation.support_starts_on <= %(last)s AND participation.support_ends_on >= %(first)s
)
ORDER BY hashint8(account.id), account.id
LIMIT %(most)s
"""
FIRST_DAY = "SELECT min(day) FROM metrics_reading WHERE day >= %(first)s"


def readings(accounts: np.ndarray, *, first: date, last: date) -> np.ndarray:
    """Followers by account (rows in the order of ``accounts``, which are unique) and day, both ends included."""
    found = np.full((len(accounts), (last - first).days + 1), np.nan)
    if not len(accounts):
        return found
    order = np.argsort(accounts)
    with connection.cursor() as cursor:
        cursor.execute(READINGS, {"first": first, "last": last, "accounts": accounts.tolist()})
        for day, read, followers in cursor:
            found[order[np.searchsorted(accounts, read, sorter=order)], day] = followers
    return found


def sampled_accounts(*, first: date, last: date, most: int) -> np.ndarray:
    """Ids of at most so many accounts to learn from."""
    with connection.cursor() as cursor:
        cursor.execute(SAMPLE, {"first": first, "last": last, "most": most})
        return np.array([pk for (pk,) in cursor.fetchall()], np.int64)


def first_day(*, not_before: date) -> date | None:
    """The day of the oldest reading there is from a day on."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_DAY, {"first": not_before})
        found: date | None = cursor.fetchone()[0]
        return found


def windows(matrix: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each account the ``days`` before its last reading and that day (accounts × days + 1), and how many days
    before the last column that reading lies; -1 without any, and then the window is empty.
    """
    known, width = ~np.isnan(matrix), matrix.shape[1]
    last = np.where(known.any(axis=1), width - 1 - known[:, ::-1].argmax(axis=1), -1)
    places = last[:, None] + np.arange(-days, 1)
    cut = np.take_along_axis(matrix, np.clip(places, 0, width - 1), 1)
    cut[(places < 0) | (last[:, None] < 0)] = np.nan
    return cut, np.where(last < 0, -1, width - 1 - last)

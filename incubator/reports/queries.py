"""The figures of a region and period, each derived from rows anyone can open.

Every figure is an aggregate over one table of rows; the statements take the region as a condition on a county, so that
county, prefecture, province and country are counted by the same words. Unknown is None, never 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from courses.queries import class_hours
from incubator.metrics.queries import FRESH_DAYS
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.reports.periods import Period

REGION_COLUMNS = {Level.COUNTY: "code", Level.PREFECTURE: "prefecture_id", Level.PROVINCE: "province_id"}

# People of the region with the place their figures are added to. {place} is a column of the region.
PEOPLE = """
WITH person AS (
    SELECT trainee.id AS trainee, region.{place} AS place
    FROM trainees_trainee trainee JOIN regions_region region ON region.code = trainee.county_id
    WHERE {within}
),
part AS (
    SELECT participation.*, person.place FROM programmes_participation participation
    JOIN person ON person.trainee = participation.trainee_id
    WHERE participation.state NOT IN ('refused') AND participation.nominated_on <= %(end)s
),
mark AS (
    SELECT attendance.participation_id, attendance.minutes, part.trainee_id, part.place
    FROM courses_attendance attendance
    JOIN part ON part.id = attendance.participation_id
    JOIN courses_session session ON session.id = attendance.session_id
    WHERE attendance.state = 'present'
        AND (session.starts_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(start)s AND %(end)s
),
account AS (
    SELECT account.id, account.state, person.place,
        last.day AS last_day, last.followers AS last_followers, first.followers AS first_followers
    FROM metrics_creatoraccount account
    JOIN person ON person.trainee = account.trainee_id
    LEFT JOIN LATERAL (
        SELECT day, followers FROM metrics_reading
        WHERE account_id = account.id AND day <= least(%(end)s, %(as_of)s::date) ORDER BY day DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT followers FROM metrics_reading
        WHERE account_id = account.id AND day < %(start)s ORDER BY day DESC LIMIT 1
    ) first ON true
),
given AS (
    SELECT traffic.impressions, part.place FROM grants_grant traffic
    JOIN part ON part.id = traffic.participation_id
    WHERE traffic.state = 'approved' AND traffic.approved_on BETWEEN %(start)s AND %(end)s
),
award AS (
    SELECT award.awarded_on, award.trainee_id, person.place FROM certification_award award
    JOIN person ON person.trainee = award.trainee_id
    WHERE award.withdrawn_at IS NULL AND award.awarded_on <= %(end)s
)
"""
FIGURES = """
SELECT 'trainees', place, count(DISTINCT trainee_id) FROM part GROUP BY place
UNION ALL SELECT 'trained', place, count(DISTINCT trainee_id) FROM mark GROUP BY place
UNION ALL SELECT 'person_times', place, count(*) FROM mark GROUP BY place
UNION ALL SELECT 'minutes', place, sum(minutes) FROM mark GROUP BY place
UNION ALL SELECT 'graduates', place, count(DISTINCT trainee_id) FROM part
    WHERE graduated_on BETWEEN %(start)s AND %(end)s AND state <> 'withdrawn' GROUP BY place
UNION ALL SELECT 'graduates_total', place, count(DISTINCT trainee_id) FROM part
    WHERE graduated_on <= %(end)s AND state <> 'withdrawn' GROUP BY place
UNION ALL SELECT 'in_support', place, count(DISTINCT trainee_id) FROM part
    WHERE %(last_day)s BETWEEN support_starts_on AND support_ends_on AND state <> 'withdrawn' GROUP BY place
UNION ALL SELECT 'accounts', place, count(*) FROM account GROUP BY place
UNION ALL SELECT 'connected', place, count(*) FROM account WHERE state = 'linked' GROUP BY place
UNION ALL SELECT 'fresh', place, count(*) FROM account
    WHERE state = 'linked' AND last_day > %(last_day)s::date - %(fresh_days)s GROUP BY place
UNION ALL SELECT 'read', place, count(last_followers) FROM account GROUP BY place
UNION ALL SELECT 'followers', place, sum(last_followers) FROM account GROUP BY place
UNION ALL SELECT 'compared', place, count(*) FROM account
    WHERE first_followers IS NOT NULL AND last_followers IS NOT NULL GROUP BY place
UNION ALL SELECT 'growth', place, sum(last_followers - first_followers) FROM account
    WHERE first_followers IS NOT NULL AND last_followers IS NOT NULL GROUP BY place
UNION ALL SELECT 'over_10k', place, count(*) FILTER (WHERE last_followers >= 10000) FROM account GROUP BY place
UNION ALL SELECT 'over_100k', place, count(*) FILTER (WHERE last_followers >= 100000) FROM account GROUP BY place
UNION ALL SELECT 'impressions', place, sum(impressions) FROM given GROUP BY place
UNION ALL SELECT 'leaders', place, count(DISTINCT trainee_id) FROM award
    WHERE awarded_on >= %(start)s GROUP BY place
UNION ALL SELECT 'leaders_total', place, count(DISTINCT trainee_id) FROM award GROUP BY place
UNION ALL SELECT 'as_of', place, max(last_day) - date '2000-01-01' FROM account GROUP BY place
"""
LINES = """
SELECT trainee.id, trainee.number, trainee.name, trainee.id_number, trainee.phone, region.name, trainee.township,
    current.state, coalesce(taught.days, 0), coalesce(taught.minutes, 0), current.graduated_on,
    followed.handle, followed.first_followers, followed.last_followers, followed.last_day,
    coalesce(traffic.impressions, 0), badge.number
FROM trainees_trainee trainee
JOIN regions_region region ON region.code = trainee.county_id
JOIN LATERAL (
    SELECT id, state, graduated_on FROM programmes_participation
    WHERE trainee_id = trainee.id AND state NOT IN ('refused') AND nominated_on <= %(end)s
    ORDER BY nominated_on DESC, id DESC LIMIT 1
) current ON true
LEFT JOIN LATERAL (
    SELECT count(DISTINCT (session.starts_at AT TIME ZONE 'Asia/Shanghai')::date) AS days,
        sum(attendance.minutes) AS minutes
    FROM courses_attendance attendance JOIN courses_session session ON session.id = attendance.session_id
    JOIN programmes_participation own ON own.id = attendance.participation_id
    WHERE own.trainee_id = trainee.id AND attendance.state = 'present' AND own.state NOT IN ('refused')
        AND own.nominated_on <= %(end)s
        AND (session.starts_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(start)s AND %(end)s
) taught ON true
LEFT JOIN LATERAL (
    SELECT string_agg(account.handle, '、' ORDER BY account.id) AS handle,
        sum(last.followers) AS last_followers, max(last.day) AS last_day,
        sum(first.followers) FILTER (WHERE last.followers IS NOT NULL) AS first_followers
    FROM metrics_creatoraccount account
    LEFT JOIN LATERAL (
        SELECT day, followers FROM metrics_reading
        WHERE account_id = account.id AND day <= least(%(end)s, %(as_of)s::date) ORDER BY day DESC LIMIT 1
    ) last ON true
    LEFT JOIN LATERAL (
        SELECT followers FROM metrics_reading
        WHERE account_id = account.id AND day < %(start)s ORDER BY day DESC LIMIT 1
    ) first ON true
    WHERE account.trainee_id = trainee.id
) followed ON true
LEFT JOIN LATERAL (
    SELECT sum(given.impressions) AS impressions FROM grants_grant given
    JOIN programmes_participation own ON own.id = given.participation_id
    WHERE own.trainee_id = trainee.id AND given.state = 'approved'
        AND given.approved_on BETWEEN %(start)s AND %(end)s
) traffic ON true
LEFT JOIN LATERAL (
    SELECT number FROM certification_award
    WHERE trainee_id = trainee.id AND withdrawn_at IS NULL AND awarded_on <= %(end)s
    ORDER BY awarded_on DESC LIMIT 1
) badge ON true
WHERE {within}
ORDER BY region.code, trainee.number
"""
WEEKS = """
SELECT weeks.day::date, count(reading.followers), sum(reading.followers)
FROM generate_series(%(start)s::date, least(%(end)s, %(as_of)s::date), interval '7 days') AS weeks (day)
CROSS JOIN metrics_creatoraccount account
JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
JOIN regions_region region ON region.code = trainee.county_id
JOIN LATERAL (
    SELECT followers FROM metrics_reading
    WHERE account_id = account.id AND day <= weeks.day ORDER BY day DESC LIMIT 1
) reading ON true
WHERE {within}
GROUP BY weeks.day ORDER BY weeks.day
"""
DAY_ZERO = date(2000, 1, 1)  # the one column of figures holds numbers, so the newest day comes as days since then


@dataclass(frozen=True, slots=True)
class CountyFigures:
    """What a report says of a region and period. Counts of people are of different people."""

    trainees: int = 0
    trained: int = 0
    person_times: int = 0
    minutes: int = 0
    graduates: int = 0
    graduates_total: int = 0
    in_support: int = 0
    accounts: int = 0
    connected: int = 0
    fresh: int = 0
    read: int = 0
    followers: int | None = None
    compared: int = 0
    growth: int | None = None
    over_10k: int = 0
    over_100k: int = 0
    impressions: int = 0
    leaders: int = 0
    leaders_total: int = 0
    as_of: date | None = None

    @property
    def class_hours(self) -> Decimal:
        """Class hours of 45 minutes, all people together."""
        return class_hours(self.minutes)

    @property
    def coverage(self) -> int | None:
        """Per cent of connected accounts with a reading of the last seven days; None without accounts."""
        return self.fresh * 100 // self.connected if self.connected else None

    @property
    def has_readings(self) -> bool:
        return self.read > 0


@dataclass(frozen=True, slots=True)
class TraineeLine:
    """One trainee in a report; ID number and phone are still encrypted bytes here, masked by who shows them."""

    trainee_id: int
    number: str
    name: str
    id_number: bytes | None
    phone: bytes | None
    county: str
    township: str
    state: str
    days: int
    minutes: int
    graduated_on: date | None
    handle: str | None
    first_followers: int | None
    last_followers: int | None
    read_on: date | None
    impressions: int
    award: str | None

    @property
    def growth(self) -> int | None:
        if self.first_followers is None or self.last_followers is None:
            return None
        return int(self.last_followers) - int(self.first_followers)


def _values(period: Period, as_of: date, region: Region | None) -> dict[str, Any]:
    return {
        "start": period.starts_on,
        "end": period.ends_on,
        "as_of": as_of,
        "last_day": min(period.ends_on, as_of),
        "fresh_days": FRESH_DAYS,
        "region": region.code if region else "",
    }


def _within(region: Region | None) -> str:
    return f"region.{REGION_COLUMNS[Level(region.level)]} = %(region)s" if region else "true"


def county_figures(region: Region | None, period: Period, *, as_of: date) -> CountyFigures:
    """The figures of a county, prefecture, province, or (None) the whole country, in one query."""
    found = _figures(region, period, as_of, place="country")
    return found.get("", CountyFigures())


def figures_below(region: Region | None, period: Period, *, as_of: date) -> dict[str, CountyFigures]:
    """The figures of each county below that has people, by code, in one query."""
    return _figures(region, period, as_of, place="code")


def _figures(region: Region | None, period: Period, as_of: date, *, place: str) -> dict[str, CountyFigures]:
    column = "code" if place == "code" else "country"
    people = PEOPLE.replace("region.{place}", "''" if column == "country" else "region.code")
    statement = people.format(within=_within(region)) + FIGURES
    found: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(period, as_of, region))
        for name, where, value in cursor.fetchall():
            if value is not None:
                found.setdefault(where, {})[name] = int(value)
    return {where: _as_figures(values) for where, values in sorted(found.items())}


def _as_figures(values: dict[str, int]) -> CountyFigures:
    known = {field.name for field in fields(CountyFigures)} - {"as_of"}
    plain: dict[str, Any] = {name: value for name, value in values.items() if name in known}
    if "as_of" in values:
        plain["as_of"] = DAY_ZERO + timedelta(days=values["as_of"])
    return CountyFigures(**plain)


def trainee_lines(region: Region | None, period: Period, *, as_of: date) -> Iterator[TraineeLine]:
    """The region's trainees, by county and number, in one query, fetched in pieces."""
    statement = LINES.format(within=_within(region))
    with connection.cursor() as cursor:
        cursor.execute(statement, _values(period, as_of, region))
        while rows := cursor.fetchmany(1000):
            for row in rows:
                yield TraineeLine(*row)


def followers_by_week(region: Region | None, period: Period, *, as_of: date) -> list[tuple[date, int]]:
    """Followers of all accounts on every seventh day of the period, each with its newest reading until then."""
    with connection.cursor() as cursor:
        cursor.execute(WEEKS.format(within=_within(region)), _values(period, as_of, region))
        return [(day, int(total)) for day, _count, total in cursor.fetchall()]

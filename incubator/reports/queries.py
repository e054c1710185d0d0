"""The figures of a region and period, each derived from rows anyone can open.

Every figure is an aggregate over one table of rows; the statements take the region as a condition on a county, so that
county, prefecture, province and country are counted by the same words. Unknown is None, never 0.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from courses.queries import class_hours
from incubator.metrics.choices import Platform
from incubator.metrics.queries import FRESH_DAYS
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.reports.periods import Period

REGION_COLUMNS = {Level.COUNTY: "code", Level.PREFECTURE: "prefecture_id", Level.PROVINCE: "province_id"}

# Who and what is counted, said once: the figures, the lines of people and the chart all read these. {place} is what the
# figures are added up by. A person counts from the first nomination that was not refused.
PEOPLE = """
WITH part AS (
    SELECT participation.*, {place} AS place FROM programmes_participation participation
    JOIN trainees_trainee trainee ON trainee.id = participation.trainee_id
    JOIN regions_region region ON region.code = trainee.county_id
    WHERE {within} AND participation.state <> 'refused' AND participation.nominated_on <= %(end)s
),
member AS (
    SELECT DISTINCT trainee_id, place FROM part
),
graduate AS (
    SELECT trainee_id, place, graduated_on FROM part WHERE graduated_on <= %(end)s AND state <> 'withdrawn'
),
mark AS (
    SELECT taught.minutes, part.trainee_id, part.place, taught.training_day AS day
    FROM courses_taught taught
    JOIN part ON part.id = taught.participation_id
    WHERE taught.source <> 'carried' AND taught."on" BETWEEN %(start)s AND %(end)s
),
account AS (
    SELECT account.id, account.handle, account.state, account.platform, member.trainee_id, member.place,
        last.day AS last_day, last.followers AS last_followers, first.followers AS first_followers,
        CASE WHEN last.day >= %(start)s THEN last.followers - first.followers END AS growth
    FROM metrics_creatoraccount account
    JOIN member ON member.trainee_id = account.trainee_id
    LEFT JOIN LATERAL metrics_reading_as_of(account.id, %(last_day)s) AS last ON true
    LEFT JOIN LATERAL metrics_reading_as_of(account.id, least(%(start)s::date - 1, %(last_day)s)) AS first ON true
),
given AS (
    SELECT traffic.impressions, part.trainee_id, part.place FROM grants_grant traffic
    JOIN part ON part.id = traffic.participation_id
    WHERE traffic.state = 'approved' AND traffic.approved_on BETWEEN %(start)s AND %(end)s
),
award AS (
    SELECT award.number, award.awarded_on, member.trainee_id, member.place FROM certification_award award
    JOIN member ON member.trainee_id = award.trainee_id
    WHERE award.withdrawn_at IS NULL AND award.awarded_on <= %(end)s
)
"""
FIGURES = """
SELECT 'trainees', place, count(*) FROM member GROUP BY place
UNION ALL SELECT 'trained', place, count(DISTINCT trainee_id) FROM mark GROUP BY place
UNION ALL SELECT 'person_times', place, count(*) FROM mark GROUP BY place
UNION ALL SELECT 'minutes', place, sum(minutes) FROM mark GROUP BY place
UNION ALL SELECT 'graduates', place, count(DISTINCT trainee_id) FROM graduate
    WHERE graduated_on >= %(start)s GROUP BY place
UNION ALL SELECT 'graduates_total', place, count(DISTINCT trainee_id) FROM graduate GROUP BY place
UNION ALL SELECT 'in_support', place, count(DISTINCT trainee_id) FROM part
    WHERE %(last_day)s BETWEEN support_starts_on AND support_ends_on AND state <> 'withdrawn' GROUP BY place
UNION ALL SELECT 'accounts', place, count(*) FROM account GROUP BY place
UNION ALL SELECT 'connected', place, count(*) FROM account WHERE state = 'linked' GROUP BY place
UNION ALL SELECT 'fresh', place, count(*) FROM account
    WHERE state = 'linked' AND last_day > %(last_day)s::date - %(fresh_days)s GROUP BY place
UNION ALL SELECT 'read', place, count(last_followers) FROM account GROUP BY place
UNION ALL SELECT 'followers', place, sum(last_followers) FROM account GROUP BY place
UNION ALL SELECT 'compared', place, count(growth) FROM account GROUP BY place
UNION ALL SELECT 'growth', place, sum(growth) FROM account GROUP BY place
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
    present.state, coalesce(taught.days, 0), coalesce(taught.minutes, 0), graduation.day,
    followed.handle, followed.first_followers, followed.last_followers, followed.growth, followed.last_day,
    coalesce(traffic.impressions, 0), badge.number
FROM (
    SELECT DISTINCT ON (trainee_id) trainee_id, state FROM part ORDER BY trainee_id, nominated_on DESC, id DESC
) present
JOIN trainees_trainee trainee ON trainee.id = present.trainee_id
JOIN regions_region region ON region.code = trainee.county_id
LEFT JOIN (
    SELECT trainee_id, count(DISTINCT day) AS days, sum(minutes) AS minutes FROM mark GROUP BY trainee_id
) taught ON taught.trainee_id = trainee.id
LEFT JOIN (
    SELECT trainee_id, max(graduated_on) AS day FROM graduate GROUP BY trainee_id
) graduation ON graduation.trainee_id = trainee.id
LEFT JOIN (
    SELECT trainee_id, string_agg(handle, '、' ORDER BY id) AS handle, sum(first_followers) AS first_followers,
        sum(last_followers) AS last_followers, sum(growth) AS growth, max(last_day) AS last_day
    FROM account GROUP BY trainee_id
) followed ON followed.trainee_id = trainee.id
LEFT JOIN (
    SELECT trainee_id, sum(impressions)::bigint AS impressions FROM given GROUP BY trainee_id
) traffic ON traffic.trainee_id = trainee.id
LEFT JOIN (
    SELECT DISTINCT ON (trainee_id) trainee_id, number FROM award ORDER BY trainee_id, awarded_on DESC, number DESC
) badge ON badge.trainee_id = trainee.id
ORDER BY region.code, trainee.number
"""
# Counted back from the last day, so that the chart ends at the figure that stands beside it.
WEEKS = """
SELECT weeks.day::date, sum(reading.followers)
FROM generate_series(%(last_day)s::date, %(start)s::date, interval '-7 days') AS weeks (day)
CROSS JOIN metrics_creatoraccount account
JOIN member ON member.trainee_id = account.trainee_id
JOIN LATERAL metrics_reading_as_of(account.id, weeks.day::date) AS reading ON true
GROUP BY weeks.day ORDER BY weeks.day
"""
# The connected accounts of 'connected' and 'fresh' above, told apart by platform and by cohort.
COVERAGE = """
SELECT 'platform' AS kind, platform AS name, count(*) AS connected,
    count(*) FILTER (WHERE last_day > %(last_day)s::date - %(fresh_days)s),
    count(*) FILTER (WHERE last_day IS NULL), min(last_day), max(last_day)
FROM account WHERE state = 'linked' GROUP BY platform
UNION ALL
SELECT 'cohort', programme.name || ' ' || cohort.name, count(*),
    count(*) FILTER (WHERE last_day > %(last_day)s::date - %(fresh_days)s),
    count(*) FILTER (WHERE last_day IS NULL), min(last_day), max(last_day)
FROM account
JOIN (SELECT DISTINCT trainee_id, cohort_id FROM part) AS taking USING (trainee_id)
JOIN programmes_cohort cohort ON cohort.id = taking.cohort_id
JOIN programmes_programme programme ON programme.id = cohort.programme_id
WHERE account.state = 'linked' GROUP BY cohort.id, programme.name, cohort.name
ORDER BY kind DESC, connected DESC, name
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
class CoverageLine:
    """How lately the connected accounts of one platform or cohort (``kind``) were read, on the report's last day."""

    kind: str
    name: str
    connected: int
    fresh: int
    never: int
    oldest: date | None
    newest: date | None

    @property
    def percent(self) -> int:
        return self.fresh * 100 // self.connected

    @property
    def label(self) -> str:
        return str(Platform(self.name).label) if self.kind == "platform" else self.name


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
    growth: int | None
    read_on: date | None
    impressions: int
    award: str | None


def _values(period: Period, as_of: date, region: Region | None) -> dict[str, Any]:
    return {
        "start": period.starts_on,
        "end": period.ends_on,
        "last_day": min(period.ends_on, as_of),
        "fresh_days": FRESH_DAYS,
        "region": region.code if region else "",
    }


def _within(region: Region | None) -> str:
    return f"region.{REGION_COLUMNS[Level(region.level)]} = %(region)s" if region else "true"


def _statement(region: Region | None, select: str, *, place: str = "''") -> str:
    return PEOPLE.format(place=place, within=_within(region)) + select


def county_figures(region: Region | None, period: Period, *, as_of: date) -> CountyFigures:
    """The figures of a county, prefecture, province, or (None) the whole country, in one query."""
    return _figures(region, period, as_of, place="''").get("", CountyFigures())


def figures_below(region: Region | None, period: Period, *, as_of: date) -> dict[str, CountyFigures]:
    """The figures of each county below that has people, by code, in one query."""
    return _figures(region, period, as_of, place="region.code")


def _figures(region: Region | None, period: Period, as_of: date, *, place: str) -> dict[str, CountyFigures]:
    found: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_statement(region, FIGURES, place=place), _values(period, as_of, region))
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


def coverage_lines(region: Region | None, period: Period, *, as_of: date) -> list[CoverageLine]:
    """Coverage by platform, then by cohort, the largest first, in one query; nothing where no account is connected."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(region, COVERAGE), _values(period, as_of, region))
        return [CoverageLine(*row) for row in cursor.fetchall()]


def trainee_lines(region: Region | None, period: Period, *, as_of: date) -> Iterator[TraineeLine]:
    """The region's trainees, by county and number, in one query: asked at once, made into lines one by one."""
    cursor = connection.cursor()
    cursor.execute(_statement(region, LINES), _values(period, as_of, region))
    return _lines_of(cursor)


def _lines_of(cursor: Any) -> Iterator[TraineeLine]:
    with cursor:
        while rows := cursor.fetchmany(1000):
            for row in rows:
                yield TraineeLine(*row)


def followers_by_week(region: Region | None, period: Period, *, as_of: date) -> list[tuple[date, int]]:
    """Followers of all accounts on every seventh day back from the report's last, each with its newest reading then."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(region, WEEKS), _values(period, as_of, region))
        return [(day, int(total)) for day, total in cursor.fetchall()]


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside shows the same moment, so that sheets of one report cannot differ by a change between."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield

"""Cohorts beside each other: where their people stand, and how they grew since their support began.

A person stands where the largest of their accounts does, as in the figures of regions. Growth follows one account a
person, the one that was largest when support began, so that an account added later is no growth.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from incubator.metrics.planning import MAX_GAP
from incubator.metrics.queries import FRESH_DAYS, OPEN_DAYS
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation

AGES = (30, 90, 180)  # days since support began after which growth is told
WEEKS = 26
SAMPLE = 300  # people of a cohort whose history is followed, always the same ones: a page must not take minutes
BASE_WITHIN = 7  # days after the beginning in which a first reading still is where somebody began

# Where people stand today, by cohort. ``part`` is the participations that count and may be seen.
STANDING = """
WITH part AS ({part}),
asked AS (SELECT %s::date AS day, %s::int AS fresh_days),
person AS (
    SELECT part.id, part.cohort_id, part.support_starts_on,
        bool_or(account.state = 'linked') AS linked,
        bool_or(account.state = 'linked' AND latest.day > asked.day - asked.fresh_days) AS fresh,
        max(latest.followers) AS followers, sum(latest.followers) AS total, max(latest.day) AS day,
        max(crossing.threshold) AS crossed
    FROM part CROSS JOIN asked
    LEFT JOIN metrics_creatoraccount account ON account.trainee_id = part.trainee_id
    LEFT JOIN metrics_latestreading latest ON latest.account_id = account.id
    LEFT JOIN LATERAL (
        SELECT max(threshold) AS threshold FROM metrics_crossing WHERE account_id = account.id
    ) crossing ON true
    GROUP BY part.id, part.cohort_id, part.support_starts_on
)
SELECT cohort_id, count(*), count(support_starts_on), count(*) FILTER (WHERE linked), count(*) FILTER (WHERE fresh),
    count(followers), percentile_cont(0.5) WITHIN GROUP (ORDER BY followers), avg(followers), sum(total),
    count(*) FILTER (WHERE greatest(followers, crossed) >= 10000),
    count(*) FILTER (WHERE greatest(followers, crossed) >= 100000), max(day)
FROM person GROUP BY cohort_id
"""

# How people grew, by cohort and weeks or days since their support began. Closed months are read by account, the months
# that are still written day after day by the key; OFFSET 0 keeps the planner from reading everybody's history instead.
# A week without a reading keeps the last one, but not for longer than everyone is to be read in.
GROWTH = """
WITH part AS ({part}),
asked AS (
    SELECT %s::date AS day, %s::date AS edge, %s::int AS sample, %s::int AS weeks, %s::int AS max_gap,
        %s::int AS within, %s::int[] AS ages
),
followed AS (
    SELECT id, cohort_id, trainee_id, support_starts_on AS start FROM (
        SELECT part.*, row_number() OVER (PARTITION BY cohort_id ORDER BY md5(part.id::text)) AS number
        FROM part CROSS JOIN asked
        WHERE support_starts_on <= asked.day AND state <> 'withdrawn'
    ) AS shuffled WHERE number <= (SELECT sample FROM asked)
),
account AS (
    SELECT followed.id, followed.cohort_id, followed.start, account.id AS account_id,
        followed.start - asked.max_gap AS since, least(followed.start + asked.weeks * 7, asked.day) AS until
    FROM followed CROSS JOIN asked
    JOIN metrics_creatoraccount account ON account.trainee_id = followed.trainee_id
),
reading AS MATERIALIZED (
    SELECT account.id, account.cohort_id, account.account_id, account.start, old.day, old.followers
    FROM account CROSS JOIN asked CROSS JOIN LATERAL (
        SELECT day, followers FROM metrics_reading
        WHERE account_id = account.account_id AND day BETWEEN account.since AND least(account.until, asked.edge)
        OFFSET 0
    ) old
    UNION ALL
    SELECT account.id, account.cohort_id, account.account_id, account.start, recent.day, recent.followers
    FROM account CROSS JOIN asked CROSS JOIN LATERAL (
        SELECT day, followers FROM metrics_reading
        WHERE account_id = account.account_id
            AND day BETWEEN greatest(account.since, asked.edge + 1) AND account.until
            AND day = ANY (ARRAY(
                SELECT account.until - n
                FROM generate_series(0, account.until - greatest(account.since, asked.edge + 1)) AS n
            ))
        OFFSET 0
    ) recent
),
base AS (
    SELECT DISTINCT ON (id) id, cohort_id, account_id, start, followers FROM (
        SELECT DISTINCT ON (id, account_id) reading.* FROM reading CROSS JOIN asked
        WHERE reading.day <= reading.start + asked.within
        ORDER BY id, account_id, reading.day > reading.start, abs(reading.day - reading.start)
    ) AS first ORDER BY id, followers DESC, account_id
),
line AS (
    SELECT base.id, base.cohort_id, base.start, base.followers AS began, reading.followers,
        reading.day - base.start AS age
    FROM reading JOIN base ON base.id = reading.id AND base.account_id = reading.account_id
    WHERE reading.day > base.start
),
weekly AS (
    SELECT id, cohort_id, start, followers AS began, followers, 0 AS week FROM base
    UNION ALL
    (
        SELECT DISTINCT ON (id, week) id, cohort_id, start, began, followers, (age + 6) / 7 AS week FROM line
        ORDER BY id, week, age DESC
    )
),
filled AS (
    SELECT spaced.cohort_id, spaced.began, spaced.followers, week.n AS week FROM (
        SELECT weekly.*, lead(week) OVER (PARTITION BY id ORDER BY week) AS following FROM weekly
    ) AS spaced CROSS JOIN asked
    CROSS JOIN LATERAL generate_series(
        spaced.week,
        least(
            spaced.following - 1, asked.weeks, spaced.week + asked.max_gap / 7 - 1, (asked.day - spaced.start) / 7
        )
    ) AS week (n)
),
aged AS (
    SELECT DISTINCT ON (line.id, age.n) line.cohort_id, line.began, line.followers, age.n
    FROM line CROSS JOIN asked CROSS JOIN LATERAL unnest(asked.ages) AS age (n)
    WHERE line.age BETWEEN greatest(1, age.n - asked.max_gap + 1) AND age.n AND line.start + age.n <= asked.day
    ORDER BY line.id, age.n, line.age DESC
)
SELECT 'base', cohort_id, 0, count(*), NULL::double precision, NULL::double precision FROM base GROUP BY cohort_id
UNION ALL
SELECT 'followed', cohort_id, 0, count(*), NULL, NULL FROM followed GROUP BY cohort_id
UNION ALL
SELECT 'week', cohort_id, week, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY followers),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY 100.0 * followers / began) FILTER (WHERE began > 0)
FROM filled GROUP BY cohort_id, week
UNION ALL
SELECT 'age', cohort_id, n, count(*), avg(followers - began)::double precision,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY followers - began)
FROM aged GROUP BY cohort_id, n
ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Week:
    """People of a cohort so many weeks after their support began: how many, their median, and that of what they had
    at the beginning taken as 100.
    """

    week: int
    people: int
    median: float
    index: float | None


@dataclass(frozen=True, slots=True)
class Growth:
    """Followers gained a person in so many days, and over how many people."""

    people: int
    mean: float
    median: float


@dataclass(slots=True)
class CohortFigures:
    """One cohort as one user may see it. Unknown is None; ``followed`` are the people whose growth is told, of whom
    ``based`` were read when their support began.
    """

    cohort: Cohort
    people: int = 0
    started: int = 0
    connected: int = 0
    fresh: int = 0
    read: int = 0
    median: float | None = None
    mean: float | None = None
    total: int | None = None
    over_10k: int = 0
    over_100k: int = 0
    as_of: date | None = None
    followed: int = 0
    based: int = 0
    weeks: list[Week] = field(default_factory=list)
    growth: dict[int, Growth] = field(default_factory=dict)

    @property
    def coverage(self) -> int | None:
        """Percent of people with a connected account that was read lately; None when nobody has one."""
        return self.fresh * 100 // self.connected if self.connected else None

    def share(self, count: int) -> float | None:
        """Percent of those whose followers are known."""
        return count * 100 / self.read if self.read else None

    @property
    def steady_weeks(self) -> list[Week]:
        """The weeks of nearly all: of the fullest week's people at least four in five. Where some have not come so far,
        a line would rise and fall by who is left.
        """
        most = max((week.people for week in self.weeks), default=0)
        return [week for week in self.weeks if week.people * 5 >= most * 4]


def compare_cohorts(cohorts: Sequence[Cohort], *, user: Any, on: date) -> list[CohortFigures]:
    """Cohorts in the order asked for, over the participations ``user`` may see; two statements, however many people."""
    found = {cohort.pk: CohortFigures(cohort) for cohort in cohorts}
    try:
        part, values = _counted(cohorts, user).query.sql_with_params()
    except EmptyResultSet:  # no cohort, or a user of no region
        return list(found.values())
    with connection.cursor() as cursor:
        cursor.execute(STANDING.format(part=part), [*values, on, FRESH_DAYS])
        for row in cursor.fetchall():
            _stand(found[row[0]], row[1:])
        asked: list[Any] = [on, on - OPEN_DAYS, SAMPLE, WEEKS, MAX_GAP, BASE_WITHIN, list(AGES)]
        cursor.execute(GROWTH.format(part=part), [*values, *asked])
        for kind, cohort, n, people, first, second in cursor.fetchall():
            _grow(found[cohort], kind, n, people, first, second)
    return list(found.values())


def _counted(cohorts: Sequence[Cohort], user: Any) -> QuerySet:
    """Whoever was not refused."""
    seen = Participation.objects.visible_to(user).filter(cohort__in=[cohort.pk for cohort in cohorts])
    wanted = seen.exclude(state=ParticipationState.REFUSED).order_by()
    return wanted.values("id", "cohort_id", "trainee_id", "state", "support_starts_on")


def _stand(figures: CohortFigures, row: Sequence[Any]) -> None:
    names = ("people", "started", "connected", "fresh", "read", "median", "mean", "total", "over_10k", "over_100k")
    for name, value in zip((*names, "as_of"), row, strict=True):
        setattr(figures, name, value)


def _grow(figures: CohortFigures, kind: str, n: int, people: int, first: Any, second: Any) -> None:
    if kind == "week":
        figures.weeks.append(Week(n, people, first, second))
    elif kind == "age":
        figures.growth[n] = Growth(people, first, second)
    elif kind == "base":
        figures.based = people
    else:
        figures.followed = people

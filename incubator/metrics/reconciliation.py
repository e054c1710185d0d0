"""What is kept beside the readings, against the readings themselves: regions' days, newest readings, crossings.

Each check is one statement that counts anew and compares, so that a refresh that writes meanwhile is seen wholly or not
at all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from django.db import connection
from django.db.models import Max, Q

from incubator.metrics import reading_sql as sql
from incubator.metrics.interests import reconciled_by_others
from incubator.metrics.models import Reading
from incubator.metrics.rollups import COUNTRY, EDGES
from incubator.regions.models import Region

WHOLE_COUNTRY = "the whole country"
COLUMNS = ("accounts", "followers", "people", "read", "compared", "growth")
WORDS = {
    "accounts": "accounts",
    "followers": "followers",
    "read": "accounts read",
    "compared": "accounts read before too",
    "growth": "followers gained",
}

REGIONS = """
WITH place AS MATERIALIZED (
    SELECT DISTINCT region.code AS county_id, above.code
    FROM regions_region region
    CROSS JOIN unnest(ARRAY[region.code, region.prefecture_id, region.province_id, %(country)s]) AS above (code)
    WHERE above.code = ANY(%(codes)s)
),
known AS MATERIALIZED (
    SELECT trainee.county_id, account.trainee_id, now.followers, now.day = %(day)s AS is_read,
        CASE WHEN now.day = %(day)s THEN (
            SELECT followers FROM metrics_reading_as_of(account.id, %(day)s::date - 1)
        ) END AS before
    FROM metrics_creatoraccount account
    JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
    CROSS JOIN LATERAL metrics_reading_as_of(account.id, %(day)s) AS now
    WHERE trainee.county_id IN (SELECT county_id FROM place)
),
total AS (
    SELECT code, count(*) AS accounts, sum(followers) AS followers, count(*) FILTER (WHERE is_read) AS read,
        count(before) AS compared, coalesce(sum(followers::bigint - before), 0) AS growth
    FROM known JOIN place USING (county_id) GROUP BY code HAVING bool_or(is_read)
),
person AS (
    SELECT county_id, width_bucket(max(followers), %(edges)s::int[]) AS bin FROM known GROUP BY county_id, trainee_id
),
filled AS (
    SELECT code, bin, count(*)::int AS count FROM person JOIN place USING (county_id) GROUP BY code, bin
),
bins AS (
    SELECT code, array_agg(coalesce(count, 0) ORDER BY bin) AS people
    FROM (SELECT code, bin FROM total CROSS JOIN generate_series(0, %(last_bin)s) AS bin) AS slot
    LEFT JOIN filled USING (code, bin) GROUP BY code
),
counted AS (
    SELECT code, accounts, followers, people, read, compared, growth FROM total JOIN bins USING (code)
),
kept AS (
    SELECT code, accounts, followers, people, read, compared, growth
    FROM metrics_regionday WHERE day = %(day)s AND code = ANY(%(codes)s)
)
SELECT coalesce(kept.code, counted.code), kept.accounts, kept.followers, kept.people, kept.read, kept.compared,
    kept.growth, counted.accounts, counted.followers, counted.people, counted.read, counted.compared, counted.growth
FROM kept FULL JOIN counted ON counted.code = kept.code
WHERE (kept.code, kept.accounts, kept.followers, kept.people, kept.read, kept.compared, kept.growth)
    IS DISTINCT FROM (counted.code, counted.accounts, counted.followers, counted.people, counted.read,
        counted.compared, counted.growth)
ORDER BY 1
"""
NEWEST = """
SELECT account.id, account.handle, latest.day, latest.followers, latest.previous_day, latest.previous_followers,
    newest.day, newest.followers, before.day, before.followers
FROM metrics_creatoraccount account
JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
LEFT JOIN metrics_latestreading latest ON latest.account_id = account.id
LEFT JOIN LATERAL metrics_reading_as_of(account.id, %(until)s) AS newest ON true
LEFT JOIN LATERAL metrics_reading_as_of(account.id, newest.day - 1) AS before ON true
WHERE trainee.county_id = ANY(%(codes)s)
    AND (latest.day, latest.followers, latest.previous_day, latest.previous_followers)
        IS DISTINCT FROM (newest.day, newest.followers, before.day, before.followers)
ORDER BY account.id
"""
PEAKS = """
SELECT account.id, account.handle, latest.peak, most.day, most.followers
FROM metrics_latestreading latest
JOIN metrics_creatoraccount account ON account.id = latest.account_id
JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
CROSS JOIN LATERAL (
    SELECT day, followers FROM metrics_reading reading
    WHERE reading.account_id = account.id AND reading.followers >= %(lowest)s AND reading.followers > latest.peak
    ORDER BY followers DESC, day LIMIT 1
) AS most
WHERE trainee.county_id = ANY(%(codes)s)
ORDER BY account.id
"""
CROSSINGS = """
WITH counted AS (
    SELECT reading.account_id, threshold, reading.followers
    FROM metrics_reading reading
    CROSS JOIN LATERAL metrics_reading_as_of(reading.account_id, %(day)s::date - 1) AS before
    CROSS JOIN unnest(%(thresholds)s::int[]) AS threshold
    WHERE reading.day = %(day)s AND before.followers < threshold AND reading.followers >= threshold
),
kept AS (
    SELECT account_id, threshold, followers FROM metrics_crossing WHERE day = %(day)s
)
SELECT account.id, account.handle, threshold, kept.followers, counted.followers
FROM kept FULL JOIN counted USING (account_id, threshold)
JOIN metrics_creatoraccount account ON account.id = account_id
JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
WHERE trainee.county_id = ANY(%(codes)s) AND kept.followers IS DISTINCT FROM counted.followers
ORDER BY account.id, threshold
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing kept that the readings do not bear out. ``key`` is a region's code or an account's id."""

    kind: Literal["region", "newest", "crossing", "other"]  # the last are of higher rooms
    day: date
    key: Any
    sentence: str


def other_differences(*, on: date, within: str = "") -> list[Difference]:
    """What higher rooms compare, as of a day. They put it right themselves."""
    return [Difference("other", on, key, sentence) for key, sentence in reconciled_by_others(on, within)]


def newest_day() -> date | None:
    """The last day of which there is any reading."""
    return Reading.objects.aggregate(day=Max("day"))["day"]


def differences(*, since: date, until: date, within: str = "") -> list[Difference]:
    """Everything kept about the days from ``since`` to ``until`` that is not what the readings say, in order of days.

    ``within`` is the code of a region: then it and the regions below it. Newest readings are of the present.
    """
    names = _names(within)
    found = _newest(list(names)) if (newest_day() or until) <= until else []
    for n in range((until - since).days + 1):
        day = since + timedelta(days=n)
        found += [*_regions(day, names), *_crossings(day, list(names))]
    return found


def _names(within: str) -> dict[str, str]:
    """Names of the regions that are compared, by code."""
    below = Q(code=within) | Q(prefecture=within) | Q(province=within) if within else Q()
    names = dict(Region.objects.filter(below).values_list("code", "name"))
    return names if within else names | {COUNTRY: WHOLE_COUNTRY}


def _rows(statement: str, **values: Any) -> list[tuple]:
    bound: dict[str, Any] = {**sql.CONSTANTS, **values}
    with connection.cursor() as cursor:
        cursor.execute(statement, bound)
        return cursor.fetchall()


def _regions(day: date, names: dict[str, str]) -> list[Difference]:
    found = []
    for code, *figures in _rows(REGIONS, day=day, codes=list(names)):
        kept, counted = figures[: len(COLUMNS)], figures[len(COLUMNS) :]
        sentences = _compare(f"{names[code]} ({code}) on {day}", kept, counted)
        found += [Difference("region", day, code, sentence) for sentence in sentences]
    return found


def _compare(where: str, kept: Sequence[Any], counted: Sequence[Any]) -> Iterable[str]:
    """A sentence for each figure of a region's day that differs."""
    if kept[0] is None or counted[0] is None:
        yield f"{where}: {'nothing is kept' if kept[0] is None else 'a day is kept'}, and there are " + (
            "readings." if kept[0] is None else "no readings."
        )
        return
    for name, had, has in zip(COLUMNS, kept, counted, strict=True):
        if had != has and name == "people":
            yield from _compare_people(where, had, has)
        elif had != has:
            yield f"{where}: {WORDS[name]} kept {had:,}, counted {has:,}."


def _compare_people(where: str, kept: Sequence[int], counted: Sequence[int]) -> Iterable[str]:
    for bin_, (had, has) in enumerate(zip(kept, counted, strict=True)):
        if had != has:
            low = EDGES[bin_ - 1] if bin_ else 0
            above = f"to below {EDGES[bin_]:,}" if bin_ < len(EDGES) else "or more"
            yield f"{where}: people with {low:,} {above} followers kept {had:,}, counted {has:,}."


def _newest(codes: list[str]) -> list[Difference]:
    until = newest_day() or date.min
    found = []
    for pk, handle, *figures in _rows(NEWEST, until=until, codes=codes):
        kept, counted = figures[:4], figures[4:]
        words = f"Newest reading of {handle}: kept {_newest_words(*kept)}; the readings say {_newest_words(*counted)}."
        found.append(Difference("newest", counted[0] or kept[0], pk, words))
    for pk, handle, peak, day, followers in _rows(PEAKS, codes=codes):
        words = f"Most followers of {handle}: kept {peak:,}; a reading says {followers:,} on {day}."
        found.append(Difference("newest", day, pk, words))
    return found


def _newest_words(day: date | None, followers: int | None, before: date | None, before_followers: int | None) -> str:
    if day is None or followers is None:
        return "none"
    earlier = "none before" if before_followers is None else f"{before_followers:,} on {before} before"
    return f"{followers:,} on {day}, {earlier}"


def _crossings(day: date, codes: list[str]) -> list[Difference]:
    found = []
    for pk, handle, threshold, kept, counted in _rows(CROSSINGS, day=day, codes=codes):
        what = f"{handle} reaching {threshold:,} on {day}"
        words = f"{what}: kept is {_or_not(kept)}, the readings say {_or_not(counted)}."
        found.append(Difference("crossing", day, pk, words))
    return found


def _or_not(followers: int | None) -> str:
    return "no crossing" if followers is None else f"{followers:,} followers"

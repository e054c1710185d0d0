"""The statements behind ``services.readings`` and ``services.rollups``, in the order in which they run.

Every statement works on a set: 500 accounts of a batch or 1,000,000 of a day take the same road.
"""

from incubator.metrics.models import LOWEST_THRESHOLD
from incubator.metrics.rollups import BINS, COUNTRY, EDGES, THRESHOLDS

PLAUSIBLE_BELOW = 100  # followers: so small a number doubles and halves without meaning anything
# A leap: per day at least this many, this share of what there was, and this many times what is usual.
LEAP, LEAP_SHARE, LEAP_TIMES = 1_000, 0.1, 8
MEMORY = 0.7  # of the usual growth that a day later still counts

CONSTANTS = {
    "floor": PLAUSIBLE_BELOW,
    "leap": LEAP,
    "leap_share": LEAP_SHARE,
    "leap_times": LEAP_TIMES,
    "memory": MEMORY,
    "lowest": LOWEST_THRESHOLD,
    "thresholds": list(THRESHOLDS),
    "edges": list(EDGES),
    "last_bin": BINS - 1,
    "country": COUNTRY,
}

# --- What came in -----------------------------------------------------------------------------------------------------

STAGE = """
CREATE TEMP TABLE IF NOT EXISTS incoming (account_id bigint, day date, followers integer, following integer)
    ON COMMIT DELETE ROWS;
TRUNCATE incoming;
SET LOCAL default_statistics_target = 10
"""
COPY = "COPY incoming (account_id, day, followers, following) FROM STDIN (FORMAT binary)"

# Beside each figure what it is judged against; one that will not replace the reading of its day is not judged.
# ``late``: at or behind a day that is known already, of the account or of another account of the same person.
# ``moves``: into another bin of the histogram. ``person``: people with several accounts one of which moves; whoever is
# not among them moves as his account does, or stays.
# Figures, accounts and newest readings lie in nearly the same order: side by side, a million take a quarter less of the
# processor than jumping about in hash tables, which the planner would choose. They come out by account, so that
# readings are added at the end of their key. What stands first in ``arrival`` has a fixed width, and is found at once.
ARRIVE = """
CREATE TEMP TABLE IF NOT EXISTS arrival (
    account_id bigint, trainee_id bigint, late boolean, moves boolean, followers integer, old_followers integer,
    old_day date, old_growth double precision, following integer, why varchar(10)
) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS person (trainee_id bigint, before integer, after integer) ON COMMIT DELETE ROWS;
TRUNCATE arrival, person;
SET LOCAL enable_hashjoin = off;
INSERT INTO arrival
SELECT account.id, account.trainee_id, coalesce(latest.day >= %(day)s, false),
    width_bucket(latest.followers, %(edges)s::int[]) IS DISTINCT FROM
        width_bucket(incoming.followers, %(edges)s::int[]),
    incoming.followers, latest.followers, latest.day, latest.growth, nullif(incoming.following, -1),
    CASE
        WHEN %(trusted)s OR latest.day IS NULL OR greatest(latest.followers, incoming.followers) < %(floor)s THEN NULL
        WHEN latest.day >= %(day)s AND EXISTS (
            SELECT FROM metrics_reading reading
            WHERE reading.day = %(day)s AND reading.account_id = account.id AND (
                reading.followers = incoming.followers OR reading.fetched_at >= %(at)s
                OR (reading.source = 'api' AND %(source)s = 'file')
            )
        ) THEN NULL
        WHEN incoming.followers <= latest.followers / 2 THEN 'drop'
        WHEN incoming.followers / 10 >= latest.followers THEN 'rise'
    END
FROM incoming
JOIN metrics_creatoraccount account ON account.id = incoming.account_id
LEFT JOIN metrics_latestreading latest ON latest.account_id = account.id;
SET LOCAL enable_hashjoin = on;
ANALYZE arrival;
UPDATE arrival SET late = true FROM metrics_creatoraccount sibling
JOIN metrics_latestreading latest ON latest.account_id = sibling.id AND latest.day > %(day)s
WHERE arrival.trainee_id = sibling.trainee_id AND NOT arrival.late;
INSERT INTO person
SELECT sibling.trainee_id, max(latest.followers),
    max(CASE WHEN arrival.why IS NULL AND NOT arrival.late THEN arrival.followers ELSE latest.followers END)
FROM metrics_creatoraccount sibling
LEFT JOIN metrics_latestreading latest ON latest.account_id = sibling.id
LEFT JOIN arrival ON arrival.account_id = sibling.id
WHERE sibling.trainee_id IN (SELECT trainee_id FROM arrival WHERE moves AND NOT late AND why IS NULL)
GROUP BY sibling.trainee_id HAVING count(*) > 1
"""
COUNT_ARRIVED = """
SELECT count(*) FILTER (WHERE late AND why IS NULL), count(*) FILTER (WHERE why IS NOT NULL), count(*) FROM arrival
"""

# --- Held back --------------------------------------------------------------------------------------------------------

# The rows a figure of %(day)s decides about: open ones of an earlier day. Nobody bears witness for oneself: what
# confirms comes from another fetch than what is held, of another run, and a file does not confirm the platform.
CONFIRM = """
UPDATE metrics_quarantinedreading held SET state = 'accepted', decided_at = %(now)s, remark = 'confirmed'
FROM incoming
WHERE held.account_id = incoming.account_id AND held.state = 'open' AND held.day < %(day)s
    AND held.fetched_at < %(at)s AND (held.run_id IS NULL OR held.run_id IS DISTINCT FROM %(run)s)
    AND (held.source = 'file' OR %(source)s = 'api')
    AND incoming.followers > held.followers / 2 AND incoming.followers / 10 < greatest(held.followers, 1)
RETURNING held.id
"""
CONTRADICT = """
UPDATE metrics_quarantinedreading held SET state = 'rejected', decided_at = %(now)s, remark = 'contradicted'
FROM incoming
WHERE held.account_id = incoming.account_id AND held.state = 'open' AND held.day < %(day)s
    AND held.followers IS NOT NULL
    AND incoming.followers > held.last_followers / 2 AND incoming.followers / 10 < greatest(held.last_followers, 1)
"""

# An answer without a usable figure. One open row an account: a newer such answer takes the place of an older one.
HOLD_UNUSABLE = """
WITH answer AS (
    SELECT * FROM unnest(%(accounts)s::bigint[], %(why)s::text[], %(told)s::text[]) AS one (account_id, why, told)
    WHERE NOT EXISTS (
        SELECT FROM metrics_reading reading WHERE reading.day = %(day)s AND reading.account_id = one.account_id
    )
),
older AS (
    UPDATE metrics_quarantinedreading held SET state = 'rejected', decided_at = %(at)s, remark = 'again'
    FROM answer
    WHERE held.account_id = answer.account_id AND held.state = 'open' AND held.followers IS NULL
        AND held.day < %(day)s
)
INSERT INTO metrics_quarantinedreading AS held
    (account_id, day, told, source, fetched_at, run_id, last_day, last_followers, why, state, remark)
SELECT answer.account_id, %(day)s, answer.told, %(source)s, %(at)s, %(run)s, latest.day, latest.followers, answer.why,
    'open', ''
FROM answer LEFT JOIN metrics_latestreading latest USING (account_id)
ON CONFLICT (account_id, day) DO UPDATE
SET told = excluded.told, why = excluded.why, fetched_at = excluded.fetched_at, run_id = excluded.run_id
WHERE held.followers IS NULL AND held.state = 'open'
"""
# A reading that is taken for a fact closes what could not be used up to its day.
ANSWERED = """
UPDATE metrics_quarantinedreading held SET state = 'rejected', decided_at = %(now)s, remark = 'answered'
FROM arrival
WHERE held.account_id = arrival.account_id AND held.state = 'open' AND held.followers IS NULL AND held.day <= %(day)s
    AND arrival.why IS NULL
"""

# --- What a new newest reading (``fact``) means for its account -------------------------------------------------------

# Followers a day, smoothed: a day later MEMORY of what was usual still counts.
GROWTH = """
            (fact.followers - fact.old_followers)::double precision / (%(day)s::date - fact.old_day)
            + coalesce(
                power(%(memory)s::float8, %(day)s::date - fact.old_day)
                * (fact.old_growth
                    - (fact.followers - fact.old_followers)::double precision / (%(day)s::date - fact.old_day)),
                0
            )"""


def _leaps(rows: str) -> str:
    """The statement that notes the leaps among ``rows``; the cheap question comes first."""
    return f"""
    INSERT INTO metrics_spike (account_id, day, gained, usual)
    SELECT account_id, %(day)s, (followers - old_followers) / (%(day)s::date - old_day), old_growth
    FROM {rows}
    WHERE followers - old_followers >= %(leap)s AND old_day < %(day)s
        AND (followers - old_followers) / (%(day)s::date - old_day)
        >= greatest(%(leap)s, %(leap_share)s * old_followers, %(leap_times)s * old_growth)
        AND old_growth IS NOT NULL
    ON CONFLICT DO NOTHING"""  # noqa: S608


# --- The day's work, in one statement ---------------------------------------------------------------------------------

# Few of a night's figures are more than a number to write: those are looked for once (``notable``). Every threshold is
# an edge of the histogram, so that whoever crosses one is among those who change their bin.
_IF_NONE = "\n    ON CONFLICT (day, account_id) DO NOTHING"
_WRITE = f"""
WITH fact AS NOT MATERIALIZED (
    SELECT * FROM arrival WHERE why IS NULL AND NOT late
),
notable AS MATERIALIZED (
    SELECT *, width_bucket(old_followers, %(edges)s::int[]) AS was, width_bucket(followers, %(edges)s::int[]) AS becomes
    FROM arrival
    WHERE why IS NOT NULL OR NOT late AND (moves OR followers - old_followers >= %(leap)s)
),
news AS (
    SELECT * FROM notable WHERE why IS NULL
),
held AS (
    INSERT INTO metrics_quarantinedreading AS unusable
        (account_id, day, followers, told, following, source, fetched_at, run_id, last_day, last_followers, why, state,
        remark)
    SELECT account_id, %(day)s, followers, '', following, %(source)s, %(at)s, %(run)s, old_day, old_followers, why,
        'open', ''
    FROM notable WHERE why IS NOT NULL
    ON CONFLICT (account_id, day) DO UPDATE
    SET followers = excluded.followers, told = '', following = excluded.following, source = excluded.source,
        fetched_at = excluded.fetched_at, run_id = excluded.run_id, last_day = excluded.last_day,
        last_followers = excluded.last_followers, why = excluded.why, state = 'open', decided_by_id = NULL,
        decided_at = NULL, remark = ''
    WHERE unusable.followers IS NULL
),
history AS (
    INSERT INTO metrics_reading (account_id, fetched_at, run_id, day, followers, following, source)
    SELECT account_id, %(at)s, %(run)s, %(day)s, followers, following, %(source)s FROM fact{_IF_NONE}
),
newest AS (
    UPDATE metrics_latestreading latest
    SET day = %(day)s, followers = fact.followers, fetched_at = %(at)s, source = %(source)s,
        previous_day = fact.old_day, previous_followers = fact.old_followers,
        growth = {GROWTH}, peak = greatest(latest.peak, fact.followers)
    FROM fact WHERE latest.account_id = fact.account_id AND fact.old_day IS NOT NULL
),
first AS (
    INSERT INTO metrics_latestreading (account_id, day, followers, fetched_at, source, peak)
    SELECT account_id, %(day)s, followers, %(at)s, %(source)s, followers FROM news WHERE old_day IS NULL
),
crossed AS (
    INSERT INTO metrics_crossing (account_id, threshold, day, followers)
    SELECT account_id, threshold, %(day)s, followers
    FROM news CROSS JOIN unnest(%(thresholds)s::int[]) AS threshold
    WHERE old_followers < threshold AND followers >= threshold
    ON CONFLICT DO NOTHING
),
leapt AS ({_leaps("news")}
),
total AS MATERIALIZED (
    SELECT county_id, count(*) FILTER (WHERE old_day IS NULL) AS accounts,
        sum(followers::bigint - coalesce(old_followers, 0))::bigint AS followers, count(*) AS read,
        count(old_followers) AS compared, coalesce(sum(followers::bigint - old_followers), 0)::bigint AS growth
    FROM fact JOIN trainees_trainee trainee ON trainee.id = fact.trainee_id GROUP BY county_id
),
step AS MATERIALIZED (
    SELECT was, becomes, (SELECT county_id FROM trainees_trainee WHERE id = trainee_id) AS county_id
    FROM (
        SELECT trainee_id, was, becomes FROM news WHERE trainee_id NOT IN (SELECT trainee_id FROM person)
        UNION ALL
        SELECT trainee_id, width_bucket(before, %(edges)s::int[]), width_bucket(after, %(edges)s::int[])
        FROM person WHERE after IS NOT NULL
    ) AS stands
    WHERE was IS DISTINCT FROM becomes
),
moved AS MATERIALIZED (
    SELECT county_id, bin, sum(count)::int AS count FROM (
        SELECT county_id, becomes AS bin, count(*) AS count FROM step GROUP BY 1, 2
        UNION ALL
        SELECT county_id, was, -count(*) FROM step WHERE was IS NOT NULL GROUP BY 1, 2
    ) AS both_ways GROUP BY county_id, bin
),
place AS MATERIALIZED (
    SELECT DISTINCT region.code AS county_id, above.code
    FROM regions_region region
    CROSS JOIN unnest(ARRAY[region.code, region.prefecture_id, region.province_id, %(country)s]) AS above (code)
    WHERE above.code IS NOT NULL AND region.code IN (SELECT county_id FROM total)
),
change AS MATERIALIZED (
    SELECT place.code, sum(total.accounts) AS accounts, sum(total.followers) AS followers, sum(total.read) AS read,
        sum(total.compared) AS compared, sum(total.growth) AS growth
    FROM total JOIN place USING (county_id) GROUP BY place.code
),
bins AS MATERIALIZED (
    SELECT code, array_agg(bin) AS places, array_agg(count) AS counts FROM (
        SELECT place.code, moved.bin, sum(moved.count)::int AS count
        FROM moved JOIN place USING (county_id) GROUP BY place.code, moved.bin HAVING sum(moved.count) <> 0
    ) AS filled GROUP BY code
),
later AS (
    UPDATE metrics_regionday region
    SET accounts = region.accounts + change.accounts, followers = region.followers + change.followers,
        people = CASE WHEN bins.code IS NULL THEN region.people ELSE (
            SELECT array_agg(one.held + coalesce(bin.came, 0) ORDER BY one.place)
            FROM unnest(region.people) WITH ORDINALITY AS one (held, place)
            LEFT JOIN unnest(bins.places, bins.counts) AS bin (number, came) ON bin.number = one.place - 1
        ) END
    FROM change LEFT JOIN bins USING (code)
    WHERE region.code = change.code AND region.day > %(day)s
),
today AS (
    INSERT INTO metrics_regionday (code, day, accounts, followers, people, read, compared, growth)
    SELECT change.code, %(day)s, coalesce(had.accounts, 0) + change.accounts,
        coalesce(had.followers, 0) + change.followers,
        CASE WHEN bins.code IS NULL AND had.people IS NOT NULL THEN had.people ELSE (
            SELECT array_agg(one.held + coalesce(bin.came, 0) ORDER BY one.place)
            FROM unnest(coalesce(had.people, array_fill(0, ARRAY[%(last_bin)s + 1])))
            WITH ORDINALITY AS one (held, place)
            LEFT JOIN unnest(bins.places, bins.counts) AS bin (number, came) ON bin.number = one.place - 1
        ) END,
        change.read, change.compared, change.growth
    FROM change LEFT JOIN bins USING (code)
    LEFT JOIN LATERAL (
        SELECT * FROM metrics_regionday before
        WHERE before.code = change.code AND before.day <= %(day)s ORDER BY before.day DESC LIMIT 1
    ) AS had ON true
    ON CONFLICT (code, day) DO UPDATE SET accounts = excluded.accounts, followers = excluded.followers,
        people = excluded.people, read = metrics_regionday.read + excluded.read,
        compared = metrics_regionday.compared + excluded.compared, growth = metrics_regionday.growth + excluded.growth
)
SELECT
"""  # noqa: S608 - our own constants; every value is a parameter
# A figure newer than its account's newest reading can meet no reading of its day, unless the newest readings do not
# tell the truth. So that is not asked of every row beforehand, which costs as much as writing it.
WRITE, WRITE_WARILY = _WRITE.replace(_IF_NONE, ""), _WRITE

# --- Behind the newest reading ----------------------------------------------------------------------------------------

WRITE_LATE = """
WITH prior AS MATERIALIZED (
    SELECT arrival.*, reading.followers AS had, reading.source AS had_source, reading.fetched_at AS had_at,
        reading.followers <> arrival.followers AND reading.fetched_at < %(at)s
            AND NOT (reading.source = 'api' AND %(source)s = 'file') AS is_correction
    FROM arrival
    LEFT JOIN metrics_reading reading ON reading.day = %(day)s AND reading.account_id = arrival.account_id
    WHERE arrival.late AND arrival.why IS NULL
),
filled AS (
    INSERT INTO metrics_reading (account_id, fetched_at, run_id, day, followers, following, source)
    SELECT account_id, %(at)s, %(run)s, %(day)s, followers, following, %(source)s FROM prior WHERE had IS NULL
    RETURNING account_id
),
corrected AS (
    UPDATE metrics_reading reading
    SET followers = prior.followers, following = prior.following, source = %(source)s, fetched_at = %(at)s,
        run_id = %(run)s
    FROM prior
    WHERE reading.day = %(day)s AND reading.account_id = prior.account_id AND prior.is_correction
    RETURNING reading.account_id
),
noted AS (
    INSERT INTO metrics_correction
        (account_id, day, old_followers, new_followers, old_source, new_source, old_fetched_at, new_fetched_at)
    SELECT account_id, %(day)s, had, followers, had_source, %(source)s, had_at, %(at)s FROM prior WHERE is_correction
)
SELECT
    (
        SELECT array_agg(DISTINCT trainee.county_id) FROM prior JOIN trainees_trainee trainee ON trainee.id = trainee_id
        WHERE had IS NULL OR is_correction
    ),
    (SELECT array_agg(account_id) FROM prior WHERE had IS NULL OR is_correction),
    (SELECT count(*) FROM filled), (SELECT count(*) FROM corrected), (SELECT count(*) FROM prior)
"""
NEWEST_AFTER_LATE = """
INSERT INTO metrics_latestreading AS latest (account_id, day, followers, fetched_at, source, peak)
SELECT account_id, day, followers, fetched_at, source, followers FROM metrics_reading
WHERE day = %(day)s AND account_id = ANY(%(accounts)s)
ON CONFLICT (account_id) DO UPDATE SET followers = excluded.followers, fetched_at = excluded.fetched_at,
    source = excluded.source, day = excluded.day,
    previous_day = CASE WHEN excluded.day > latest.day THEN latest.day ELSE latest.previous_day END,
    previous_followers = CASE WHEN excluded.day > latest.day THEN latest.followers ELSE latest.previous_followers END
WHERE excluded.day >= latest.day
"""
PEAK_AFTER_LATE = """
UPDATE metrics_latestreading latest SET peak = reading.followers
FROM metrics_reading reading
WHERE reading.day = %(day)s AND reading.account_id = latest.account_id AND latest.account_id = ANY(%(accounts)s)
    AND latest.peak < reading.followers
"""
PREVIOUS_AFTER_LATE = """
UPDATE metrics_latestreading latest SET previous_day = reading.day, previous_followers = reading.followers
FROM metrics_reading reading
WHERE reading.day = %(day)s AND reading.account_id = latest.account_id AND latest.account_id = ANY(%(accounts)s)
    AND latest.day > %(day)s AND coalesce(latest.previous_day, %(day)s) <= %(day)s
"""
FORGET_CROSSINGS = "DELETE FROM metrics_crossing WHERE day >= %(day)s AND account_id = ANY(%(accounts)s)"
CROSSINGS_AFTER_LATE = """
WITH latest AS (
    SELECT account_id, day FROM metrics_latestreading WHERE account_id = ANY(%(accounts)s)
),
step AS (
    SELECT latest.account_id, before.day, before.followers
    FROM latest CROSS JOIN LATERAL metrics_reading_as_of(latest.account_id, %(day)s::date - 1) AS before
    UNION ALL
    SELECT latest.account_id, reading.day, reading.followers
    FROM latest
    CROSS JOIN LATERAL generate_series(%(day)s::date, latest.day, interval '1 day') AS since
    JOIN metrics_reading reading ON reading.day = since::date AND reading.account_id = latest.account_id
),
pair AS (
    SELECT *, lag(followers) OVER (PARTITION BY account_id ORDER BY day) AS before FROM step
)
INSERT INTO metrics_crossing (account_id, threshold, day, followers)
SELECT account_id, threshold, day, followers FROM pair CROSS JOIN unnest(%(thresholds)s::int[]) AS threshold
WHERE before < threshold AND followers >= threshold AND day >= %(day)s
ON CONFLICT DO NOTHING
"""
# Late only because somebody's other account has been read since: for its own account such a reading is the newest.
OWN_NEWEST = """
WITH fact AS (
    SELECT * FROM arrival WHERE late AND why IS NULL AND old_day < %(day)s AND account_id = ANY(%(accounts)s)
)
"""
GROWTH_AFTER_LATE = f"""{OWN_NEWEST}
UPDATE metrics_latestreading latest SET growth = {GROWTH}
FROM fact WHERE latest.account_id = fact.account_id AND latest.day = %(day)s
"""  # noqa: S608
LEAPS_AFTER_LATE = OWN_NEWEST + _leaps("fact")
AFTER_LATE = (
    NEWEST_AFTER_LATE,
    PEAK_AFTER_LATE,
    GROWTH_AFTER_LATE,
    LEAPS_AFTER_LATE,
    PREVIOUS_AFTER_LATE,
    FORGET_CROSSINGS,
    CROSSINGS_AFTER_LATE,
)

# --- Regions counted anew ---------------------------------------------------------------------------------------------

FORGET_DAYS = "DELETE FROM metrics_regionday WHERE code = ANY(%(codes)s) AND day >= %(since)s"
COUNT_COUNTIES = """
WITH account AS MATERIALIZED (
    SELECT account.id, account.trainee_id, trainee.county_id AS code
    FROM metrics_creatoraccount account
    JOIN trainees_trainee trainee ON trainee.id = account.trainee_id
    JOIN metrics_latestreading latest ON latest.account_id = account.id
    WHERE trainee.county_id = ANY(%(codes)s)
),
event AS MATERIALIZED (
    SELECT DISTINCT account.code, reading.day
    FROM account
    CROSS JOIN generate_series(%(since)s::date, %(until)s::date, interval '1 day') AS one
    JOIN metrics_reading reading ON reading.day = one::date AND reading.account_id = account.id
),
known AS MATERIALIZED (
    SELECT event.code, event.day, account.trainee_id, now.followers, now.day = event.day AS is_read,
        CASE WHEN now.day = event.day THEN (
            SELECT followers FROM metrics_reading_as_of(account.id, event.day - 1)
        ) END AS before
    FROM event JOIN account USING (code)
    CROSS JOIN LATERAL metrics_reading_as_of(account.id, event.day) AS now
),
total AS (
    SELECT code, day, count(*) AS accounts, sum(followers) AS followers, count(*) FILTER (WHERE is_read) AS read,
        count(before) AS compared, coalesce(sum(followers::bigint - before), 0) AS growth
    FROM known GROUP BY code, day
),
stands AS (
    SELECT code, day, width_bucket(max(followers), %(edges)s::int[]) AS bin FROM known GROUP BY code, day, trainee_id
),
bins AS (
    SELECT slot.code, slot.day, array_agg(coalesce(filled.count, 0)::int ORDER BY slot.bin) AS people FROM (
        SELECT code, day, bin FROM event CROSS JOIN generate_series(0, %(last_bin)s) AS bin
    ) AS slot
    LEFT JOIN (SELECT code, day, bin, count(*) AS count FROM stands GROUP BY code, day, bin) AS filled
        USING (code, day, bin)
    GROUP BY slot.code, slot.day
)
INSERT INTO metrics_regionday (code, day, accounts, followers, people, read, compared, growth)
SELECT code, day, accounts, followers, people, read, compared, growth FROM total JOIN bins USING (code, day)
"""
# A region is the sum of its counties; a county without a row of the day stands as it stood before.
COUNT_ABOVE = """
WITH leaf AS MATERIALIZED (
    SELECT DISTINCT above.code, region.code AS leaf
    FROM regions_region region
    CROSS JOIN unnest(ARRAY[region.prefecture_id, region.province_id, %(country)s]) AS above (code)
    WHERE above.code = ANY(%(above)s) AND region.code <> above.code
        AND NOT EXISTS (
            SELECT FROM regions_region lower
            WHERE lower.code <> region.code AND region.code IN (lower.prefecture_id, lower.province_id)
        )
),
event AS MATERIALIZED (
    SELECT DISTINCT leaf.code, kept.day FROM leaf JOIN metrics_regionday kept ON kept.code = leaf.leaf
    WHERE kept.day >= %(since)s
),
part AS MATERIALIZED (
    SELECT event.code, event.day, kept.accounts, kept.followers, kept.people, kept.read, kept.compared, kept.growth,
        kept.day = event.day AS is_today
    FROM event JOIN leaf ON leaf.code = event.code
    CROSS JOIN LATERAL (
        SELECT * FROM metrics_regionday county
        WHERE county.code = leaf.leaf AND county.day <= event.day ORDER BY county.day DESC LIMIT 1
    ) AS kept
),
total AS (
    SELECT code, day, sum(accounts) AS accounts, sum(followers) AS followers,
        coalesce(sum(read) FILTER (WHERE is_today), 0) AS read,
        coalesce(sum(compared) FILTER (WHERE is_today), 0) AS compared,
        coalesce(sum(growth) FILTER (WHERE is_today), 0) AS growth
    FROM part GROUP BY code, day
),
bins AS (
    SELECT code, day, array_agg(count ORDER BY bin) AS people FROM (
        SELECT code, day, bin, sum(count)::int AS count
        FROM part CROSS JOIN LATERAL unnest(part.people) WITH ORDINALITY AS one (count, bin)
        GROUP BY code, day, bin
    ) AS summed GROUP BY code, day
)
INSERT INTO metrics_regionday (code, day, accounts, followers, people, read, compared, growth)
SELECT code, day, accounts, followers, people, read, compared, growth FROM total JOIN bins USING (code, day)
"""

# --- Two people are one after all -------------------------------------------------------------------------------------

# Two people count in two bins, one person in the larger one's. Days on which one of them was not known yet stay.
PEOPLE_JOINED = """
WITH stand AS MATERIALIZED (
    SELECT region.code, region.day, (
            SELECT max(now.followers) FROM unnest(%(ours)s::bigint[]) AS one (id)
            CROSS JOIN LATERAL metrics_reading_as_of(one.id, region.day) AS now
        ) AS ours, (
            SELECT max(now.followers) FROM unnest(%(theirs)s::bigint[]) AS one (id)
            CROSS JOIN LATERAL metrics_reading_as_of(one.id, region.day) AS now
        ) AS theirs
    FROM metrics_regionday region WHERE region.code = ANY(%(codes)s) AND region.day >= %(since)s
),
freed AS (
    SELECT code, day, width_bucket(least(ours, theirs), %(edges)s::int[]) + 1 AS place
    FROM stand WHERE ours IS NOT NULL AND theirs IS NOT NULL
)
UPDATE metrics_regionday region SET people[freed.place] = region.people[freed.place] + %(change)s
FROM freed WHERE region.code = freed.code AND region.day = freed.day
"""

# --- Put right --------------------------------------------------------------------------------------------------------

FORGET_NEWEST = """
DELETE FROM metrics_latestreading latest
WHERE account_id = ANY(%(accounts)s) AND NOT EXISTS (SELECT FROM metrics_reading_as_of(latest.account_id, %(until)s))
"""
REWRITE_NEWEST = """
INSERT INTO metrics_latestreading AS latest
    (account_id, day, followers, fetched_at, source, previous_day, previous_followers, peak)
SELECT reading.account_id, reading.day, reading.followers, reading.fetched_at, reading.source, before.day,
    before.followers, greatest(reading.followers, (
        SELECT max(one.followers) FROM metrics_reading one
        WHERE one.account_id = reading.account_id AND one.followers >= %(lowest)s
    ))
FROM unnest(%(accounts)s::bigint[]) AS one (account_id)
CROSS JOIN LATERAL metrics_reading_as_of(one.account_id, %(until)s) AS newest
JOIN metrics_reading reading ON reading.day = newest.day AND reading.account_id = one.account_id
LEFT JOIN LATERAL metrics_reading_as_of(one.account_id, newest.day - 1) AS before ON true
ON CONFLICT (account_id) DO UPDATE
SET day = excluded.day, followers = excluded.followers, fetched_at = excluded.fetched_at, source = excluded.source,
    previous_day = excluded.previous_day, previous_followers = excluded.previous_followers, peak = excluded.peak
"""

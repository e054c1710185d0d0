"""The statements behind ``matching``: who stands twice in a file, and who of its people is known already.

All of them work on the staged rows of one import at once. Keys of people are looked up one by one through their
indexes, never by reading everybody: so a row costs the same whether ten thousand or a million people are there.
"""

from trainees.bulk import fingerprint

# The planner would rather read a whole table of people than go through an index a hundred thousand times; and it
# knows nothing yet of rows that have just been staged.
BY_INDEX = """
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off
"""

ANYHOW = """
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
SET LOCAL enable_seqscan = on
"""

# Tables that have grown so much since they were last looked at that the planner takes them for small, and any index for
# as good as another. On most days there are none; after a large import the server needs a minute to see it itself.
UNKNOWN_SIZES = """
SELECT class.relname FROM pg_stat_user_tables stat JOIN pg_class class ON class.oid = stat.relid
WHERE class.relname IN ('trainees_trainee', 'metrics_creatoraccount')
    AND n_mod_since_analyze > 1000 + greatest(reltuples, 0) / 5
"""

# --- In the file ------------------------------------------------------------------------------------------------------

# As staged, before anybody else was looked at.
FORGET = """
UPDATE rosters_rosterrow SET status = CASE WHEN is_bad THEN 'wrong' ELSE 'new' END, is_repeat = false,
    trainee_id = CASE WHEN is_bad THEN NULL ELSE sealed_for END, looks_like_id = NULL, why = '', changes = '{}',
    was = NULL, before = NULL, id_number_anew = NULL, phone_anew = NULL
WHERE roster_id = %(roster)s AND status <> 'skipped'
    AND (is_repeat OR looks_like_id IS NOT NULL OR status = 'matched' OR (status = 'wrong') <> is_bad)
"""
FORGET_FINDINGS = "DELETE FROM rosters_rosterfinding WHERE roster_id = %(roster)s AND is_of_matching"

# A mobile may be a family's: it says who somebody is only where no ID number does.
REPEATS = """
WITH row AS NOT MATERIALIZED (
    SELECT * FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status <> 'skipped'
)
SELECT id, number, kind, first, is_error FROM (
    SELECT id, number, 'id_number' AS kind, min(number) OVER (PARTITION BY id_number_index) AS first, true AS is_error
    FROM row WHERE id_number_index IS NOT NULL
    UNION ALL
    SELECT id, number, 'handle', min(number) OVER (PARTITION BY handle), true FROM row WHERE handle <> ''
    UNION ALL
    SELECT id, number, 'number', min(number) OVER (PARTITION BY trainee_number), true FROM row
    WHERE trainee_number <> ''
    UNION ALL
    SELECT id, number, 'phone', first_value(number) OVER earlier, id_number_index IS NULL
        AND first_value(id_number_index) OVER earlier IS NULL AND first_value(name) OVER earlier = name
    FROM row WHERE phone_index IS NOT NULL WINDOW earlier AS (PARTITION BY phone_index ORDER BY number)
) AS one WHERE number <> first ORDER BY number
"""
MARK_REPEATS = """
UPDATE rosters_rosterrow SET is_repeat = true, status = 'wrong', trainee_id = NULL WHERE id = ANY(%(rows)s)
"""
# People of the file who look like each other: the same name, county and birth day, and not the same person.
ALIKE = """
SELECT number, first, sealed_for, first_key FROM (
    SELECT number, sealed_for, min(number) OVER same AS first, first_value(sealed_for) OVER same AS first_key
    FROM rosters_rosterrow
    WHERE roster_id = %(roster)s AND status = 'new' AND born_on IS NOT NULL
    WINDOW same AS (PARTITION BY name, county_id, born_on ORDER BY number)
) AS row WHERE number <> first ORDER BY number
"""

# --- Among the people who are known -----------------------------------------------------------------------------------

SEEN = "(%(everything)s OR {county} = ANY(%(counties)s::varchar[]))"


def _seen(county: str) -> str:
    """Whether the importer may know of somebody of that county."""
    return SEEN.format(county=county)


# The rows that hit anybody at all by any of their keys. Most rosters are of new people, and to ask of a row what it
# hits takes longer than to see that there is nothing; plain joins, so that the server may share the rows out.
NEAR = """
CREATE TEMP TABLE near ON COMMIT DROP AS
SELECT row.id
FROM rosters_rosterrow row
LEFT JOIN trainees_trainee by_id ON by_id.id_number_index = row.id_number_index
LEFT JOIN trainees_trainee by_phone ON by_phone.phone_index = row.phone_index
LEFT JOIN metrics_creatoraccount account ON account.platform = %(platform)s AND account.handle = row.handle
LEFT JOIN trainees_trainee alike
    ON alike.born_on = row.born_on AND alike.name = row.name AND alike.county_id = row.county_id
WHERE row.roster_id = %(roster)s AND row.status <> 'skipped' AND (
    row.trainee_number <> '' OR by_id.id IS NOT NULL OR by_phone.id IS NOT NULL OR account.id IS NOT NULL
    OR alike.id IS NOT NULL
)
"""
COUNT_NEAR = "ANALYZE near"

# What each key of a row hits. A row whose person cannot be told apart for sure is asked for its ID number only.
HITS = f"""
CREATE TEMP TABLE hit ON COMMIT DROP AS
SELECT row.id, row.number, row.is_bad OR row.is_repeat AS is_out, row.name, row.county_id, row.decision,
    row.decided_about, row.id_number_index IS NULL AS is_nameless,
    by_id.id AS by_id, {_seen("by_id.county_id")} AS by_id_seen,
    row.trainee_number <> '' AS has_number, by_number.id AS by_number, {_seen("by_number.county_id")} AS by_number_seen,
    by_number.id_number_index <> row.id_number_index AS by_number_differs,
    phone.elsewhere AS phone_elsewhere, phone.same AS by_phone, phone.same_count AS by_phone_count,
    phone.named AS phone_named, phone.other AS phone_other, phone.nameless AS phone_nameless,
    account.trainee_id AS by_account, {_seen("owner.county_id")} AS by_account_seen,
    owner.name = row.name
        AND (owner.id_number_index IS NULL OR row.id_number_index IS NULL) AS by_account_fits,
    alike.id AS alike
FROM (SELECT DISTINCT id FROM near) AS near JOIN rosters_rosterrow row ON row.id = near.id
LEFT JOIN trainees_trainee by_id ON by_id.id_number_index = row.id_number_index
LEFT JOIN trainees_trainee by_number ON row.trainee_number <> '' AND by_number.number = row.trainee_number
LEFT JOIN LATERAL (
    SELECT bool_or(NOT {_seen("one.county_id")}) AS elsewhere,
        min(one.id) FILTER (
            WHERE one.name = row.name AND (one.id_number_index IS NULL OR row.id_number_index IS NULL)
        ) AS same,
        count(*) FILTER (
            WHERE one.name = row.name AND (one.id_number_index IS NULL OR row.id_number_index IS NULL)
        ) AS same_count,
        min(one.id) FILTER (WHERE one.name = row.name) AS named,
        min(one.id) AS other,
        min(one.id) FILTER (WHERE one.id_number_index IS NULL OR row.id_number_index IS NULL) AS nameless
    FROM trainees_trainee one WHERE one.phone_index = row.phone_index AND NOT (row.is_bad OR row.is_repeat)
        AND one.id IS DISTINCT FROM by_id.id
) AS phone ON true
LEFT JOIN metrics_creatoraccount account
    ON row.handle <> '' AND account.platform = %(platform)s AND account.handle = row.handle
    AND NOT (row.is_bad OR row.is_repeat)
LEFT JOIN trainees_trainee owner ON owner.id = account.trainee_id
LEFT JOIN LATERAL (
    SELECT min(one.id) AS id FROM trainees_trainee one
    WHERE by_id.id IS NULL AND one.born_on = row.born_on AND one.name = row.name AND one.county_id = row.county_id
        AND NOT (row.is_bad OR row.is_repeat)
) AS alike ON true
WHERE by_id.id IS NOT NULL OR row.trainee_number <> '' OR phone.other IS NOT NULL OR account.id IS NOT NULL
    OR alike.id IS NOT NULL
"""  # noqa: S608 - of our own parts

# Who the row is, or what is wrong with it; one mistake is told, the first in the order of the keys.
VERDICTS = """
CREATE TEMP TABLE verdict ON COMMIT DROP AS
WITH problem AS (
    SELECT *, CASE
        WHEN by_id IS NOT NULL AND NOT by_id_seen THEN 'elsewhere:id_number'
        WHEN is_out THEN NULL
        WHEN by_number IS NOT NULL AND NOT by_number_seen THEN 'elsewhere:number'
        WHEN has_number AND by_number IS NULL THEN 'unknown:number'
        WHEN by_number_differs OR by_number <> by_id THEN 'another:number'
        WHEN phone_elsewhere THEN 'elsewhere:phone'
        WHEN by_account IS NOT NULL AND NOT by_account_seen THEN 'elsewhere:handle'
    END AS problem
    FROM hit
),
found AS (
    SELECT *, CASE WHEN NOT is_out AND problem IS NULL THEN coalesce(
        by_id, by_number, CASE WHEN by_phone_count = 1 THEN by_phone END, CASE WHEN by_account_fits THEN by_account END
    ) END AS person
    FROM problem
),
alike AS (
    SELECT *, CASE WHEN person IS NULL AND NOT is_out AND problem IS NULL THEN CASE
            WHEN phone_named IS NOT NULL THEN phone_named
            WHEN phone_nameless IS NOT NULL THEN phone_nameless
            ELSE found.alike
        END END AS looks_like,
        CASE WHEN phone_named IS NOT NULL OR phone_nameless IS NOT NULL THEN 'phone' ELSE 'name' END AS why
    FROM found
),
decided AS (
    SELECT id, number, is_out, name, county_id, looks_like, why, phone_other,
        CASE WHEN looks_like = decided_about AND decision = 'same' THEN looks_like ELSE person END AS person,
        problem, by_account
    FROM alike
),
counted AS (
    SELECT *, min(number) OVER (PARTITION BY person) AS first_of_person FROM decided
),
judged AS (
    SELECT *, CASE
        WHEN problem IS NOT NULL THEN problem
        WHEN person IS NOT NULL AND number <> first_of_person THEN 'same:id_number'
        WHEN by_account IS NOT NULL AND by_account IS DISTINCT FROM person AND NOT is_out THEN 'taken:handle'
    END AS trouble
    FROM counted
)
SELECT judged.id, judged.number, judged.trouble, judged.first_of_person,
    CASE WHEN trouble IS NULL THEN judged.person END AS trainee_id,
    CASE WHEN trouble IS NULL THEN judged.looks_like END AS looks_like_id,
    CASE WHEN trouble IS NULL AND judged.looks_like IS NOT NULL THEN judged.why ELSE '' END AS why,
    trouble IS NULL AND NOT is_out AND judged.phone_other IS NOT NULL AND judged.looks_like IS NULL
        AND judged.phone_other IS DISTINCT FROM judged.person AS shares_phone,
    NULL::uuid AS was, '{}'::varchar[] AS changes, false AS is_renamed, NULL::varchar AS lives_in
FROM judged
WHERE trouble IS NOT NULL OR NOT is_out
"""

INDEX_VERDICTS = "CREATE UNIQUE INDEX ON verdict (id); ANALYZE verdict"

# What the row says otherwise than is known of its person. Empty cells say nothing; a county is not changed by a roster;
# people who live outside the import's region stay as they are.
DIFFERENCES = f"""
UPDATE verdict SET was = {fingerprint("person")},
    is_renamed = row.name <> person.name,
    lives_in = CASE WHEN person.county_id <> row.county_id THEN person.county_id END,
    changes = CASE WHEN person.county_id = ANY(%(region)s::varchar[]) THEN array_remove(ARRAY[
        CASE WHEN row.name <> person.name THEN 'name' END,
        CASE WHEN row.sex <> '' AND row.sex <> person.sex THEN 'sex' END,
        CASE WHEN row.born_on <> person.born_on OR (row.born_on IS NOT NULL AND person.born_on IS NULL)
            THEN 'born_on' END,
        CASE WHEN row.township <> '' AND row.township <> person.township THEN 'township' END,
        CASE WHEN row.background <> '' AND row.background <> person.background THEN 'background' END,
        CASE WHEN row.education <> '' AND row.education <> person.education THEN 'education' END,
        CASE WHEN row.id_number_index IS NOT NULL AND person.id_number_index IS NULL THEN 'id_number' END,
        CASE WHEN row.phone_index IS NOT NULL AND row.phone_index IS DISTINCT FROM person.phone_index THEN 'phone' END
    ]::varchar[], NULL) ELSE '{{}}' END
FROM rosters_rosterrow row, trainees_trainee person
WHERE row.id = verdict.id AND person.id = verdict.trainee_id
"""  # noqa: S608 - of our own parts
TAKE_DOWN = """
UPDATE rosters_rosterrow row
SET status = CASE
        WHEN verdict.trouble IS NOT NULL THEN 'wrong' WHEN verdict.trainee_id IS NOT NULL THEN 'matched' ELSE row.status
    END,
    trainee_id = CASE
        WHEN verdict.trouble IS NOT NULL THEN NULL WHEN verdict.trainee_id IS NOT NULL THEN verdict.trainee_id
        ELSE row.trainee_id
    END,
    looks_like_id = verdict.looks_like_id, why = verdict.why, was = verdict.was, changes = verdict.changes
FROM verdict WHERE row.id = verdict.id
    AND (verdict.trouble IS NOT NULL OR verdict.trainee_id IS NOT NULL OR verdict.looks_like_id IS NOT NULL)
"""
TROUBLES = """
SELECT row.number, split_part(trouble, ':', 1), split_part(trouble, ':', 2), first_of_person, row.sealed_for,
    row.id_number, row.phone, row.handle, row.trainee_number
FROM verdict JOIN rosters_rosterrow row ON row.id = verdict.id WHERE trouble IS NOT NULL ORDER BY row.number
"""
REMARKS = """
SELECT row.number, is_renamed, person.name, lives_in, shares_phone,
    verdict.trainee_id IS NULL AND verdict.looks_like_id IS NOT NULL
        AND NOT (row.decision = 'other' AND row.decided_about = verdict.looks_like_id),
    verdict.why, row.sealed_for, row.phone, row.name
FROM verdict JOIN rosters_rosterrow row ON row.id = verdict.id
LEFT JOIN trainees_trainee person ON person.id = verdict.trainee_id
WHERE trouble IS NULL AND (is_renamed OR lives_in IS NOT NULL OR shares_phone OR verdict.looks_like_id IS NOT NULL)
ORDER BY row.number
"""
# Whether people are still to each other what the preview said.
IS_STALE = """
SELECT EXISTS (
    SELECT FROM verdict JOIN rosters_rosterrow row ON row.id = verdict.id
    WHERE CASE WHEN verdict.trouble IS NOT NULL THEN row.status <> 'wrong'
        ELSE (verdict.trainee_id IS NOT NULL AND row.trainee_id IS DISTINCT FROM verdict.trainee_id)
            OR (row.status = 'matched') <> (verdict.trainee_id IS NOT NULL)
            OR row.status = 'wrong'
            OR row.looks_like_id IS DISTINCT FROM verdict.looks_like_id
            OR row.was IS DISTINCT FROM verdict.was OR row.changes <> verdict.changes
    END
) OR EXISTS (
    SELECT FROM rosters_rosterrow row
    WHERE row.roster_id = %(roster)s AND NOT row.is_bad AND NOT row.is_repeat AND row.status <> 'skipped'
        AND (row.status <> 'new' OR row.looks_like_id IS NOT NULL)
        AND NOT EXISTS (SELECT FROM verdict WHERE verdict.id = row.id)
)
"""
CHANGED = """
SELECT row.id, row.sealed_for, row.trainee_id, row.changes, row.id_number, row.phone, person.id_number, person.phone,
    person.name, person.initials, person.sex, person.born_on, person.township, person.background, person.education
FROM rosters_rosterrow row JOIN trainees_trainee person ON person.id = row.trainee_id
WHERE row.roster_id = %(roster)s AND row.status = 'matched' AND row.changes <> '{}' AND row.id > %(after)s
ORDER BY row.id LIMIT %(most)s
"""
KEEP_BEFORE = """
UPDATE rosters_rosterrow row SET before = kept.before, id_number_anew = kept.id_number, phone_anew = kept.phone
FROM unnest(%(ids)s::bigint[], %(before)s::bytea[], %(id_numbers)s::bytea[], %(phones)s::bytea[])
    AS kept (id, before, id_number, phone)
WHERE row.id = kept.id
"""
DOUBTFUL = "status = 'new' AND looks_like_id IS NOT NULL AND NOT (decision = 'other' AND decided_about = looks_like_id)"
UNDECIDED = f"""
SELECT sealed_for, looks_like_id, why FROM rosters_rosterrow WHERE roster_id = %(roster)s AND {DOUBTFUL} ORDER BY number
"""  # noqa: S608 - of our own parts
COUNTS = f"""
SELECT count(*) FILTER (WHERE status = 'new'), count(*) FILTER (WHERE status = 'matched'),
    count(*) FILTER (WHERE status = 'matched' AND changes <> '{{}}'), count(*) FILTER (WHERE {DOUBTFUL}),
    count(*) FILTER (WHERE status = 'wrong'), count(*) FILTER (WHERE status = 'skipped')
FROM rosters_rosterrow WHERE roster_id = %(roster)s
"""  # noqa: S608 - of our own parts

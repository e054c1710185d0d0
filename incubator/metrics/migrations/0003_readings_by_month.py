"""Readings move into partitions, one a month; the newest readings get room on their pages to be updated in place."""

from django.db import migrations

PARTITION = """
ALTER TABLE metrics_reading RENAME TO metrics_reading_before;
ALTER TABLE metrics_reading_before DROP CONSTRAINT metrics_reading_pkey;
DROP INDEX reading_over_threshold;

CREATE TABLE metrics_reading (
    account_id bigint NOT NULL,
    fetched_at timestamptz NOT NULL,
    run_id bigint,
    day date NOT NULL,
    followers integer NOT NULL CONSTRAINT metrics_reading_followers_check CHECK (followers >= 0),
    following integer CONSTRAINT metrics_reading_following_check CHECK (following >= 0),
    source varchar(10) NOT NULL,
    CONSTRAINT metrics_reading_pkey PRIMARY KEY (day, account_id)
) PARTITION BY RANGE (day);
CREATE INDEX reading_over_threshold ON metrics_reading (account_id, day) INCLUDE (followers) WHERE followers >= 10000;
CREATE TABLE metrics_reading_rest PARTITION OF metrics_reading DEFAULT;

DO $$
DECLARE month date;
BEGIN
    FOR month IN SELECT DISTINCT date_trunc('month', day)::date FROM metrics_reading_before LOOP
        EXECUTE format(
            'CREATE TABLE %I PARTITION OF metrics_reading FOR VALUES FROM (%L) TO (%L)',
            'metrics_reading_' || to_char(month, 'YYYYMM'), month, (month + interval '1 month')::date
        );
    END LOOP;
END $$;

INSERT INTO metrics_reading (account_id, fetched_at, run_id, day, followers, following, source)
SELECT account_id, fetched_at, run_id, day, followers, following, source FROM metrics_reading_before;
DROP TABLE metrics_reading_before;
"""

# The last reading of an account up to a day. Two months back by the key, day after day; what is older lies in closed
# months, which have an index by account.
AS_OF = """
CREATE FUNCTION metrics_reading_as_of(of_account bigint, on_day date)
RETURNS TABLE (day date, followers integer) LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT found.day, found.followers FROM (
        (
            SELECT reading.day, reading.followers FROM metrics_reading reading
            WHERE reading.account_id = of_account AND reading.day BETWEEN on_day - 61 AND on_day
                AND reading.day = ANY (ARRAY(SELECT on_day - back FROM generate_series(0, 61) AS back))
            ORDER BY reading.day DESC LIMIT 1
        )
        UNION ALL
        (
            SELECT reading.day, reading.followers FROM metrics_reading reading
            WHERE reading.account_id = of_account AND reading.day < on_day - 61
            ORDER BY reading.day DESC LIMIT 1
        )
    ) AS found LIMIT 1
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0002_trustworthy_figures")]

    operations = [
        migrations.RunSQL(PARTITION),
        migrations.RunSQL(AS_OF, "DROP FUNCTION metrics_reading_as_of"),
        migrations.RunSQL(
            "ALTER TABLE metrics_latestreading SET (fillfactor = 50)",
            "ALTER TABLE metrics_latestreading RESET (fillfactor)",
        ),
    ]

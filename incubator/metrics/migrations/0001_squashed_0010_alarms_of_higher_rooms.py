"""The tables as 0001 to 0010 left them, made at once: a new database is ready in less than half the time."""

import datetime

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption

# The model's table is made again in partitions, one a month; a month that nobody made goes to the rest.
# Its index comes with the model's: Django makes those when all operations are done.
PARTITION = """
DROP TABLE metrics_reading;
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
CREATE TABLE metrics_reading_rest PARTITION OF metrics_reading DEFAULT;
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
EVENTS_STAY = """
CREATE FUNCTION metrics_consent_events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events of consents are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER metrics_consent_events_stay BEFORE UPDATE OR DELETE ON metrics_consentevent
    FOR EACH ROW EXECUTE FUNCTION metrics_consent_events_stay();
"""
EVENTS_GO = """
DROP TRIGGER metrics_consent_events_stay ON metrics_consentevent;
DROP FUNCTION metrics_consent_events_stay();
"""


class Migration(migrations.Migration):
    replaces = [
        ("metrics", "0001_initial"),
        ("metrics", "0002_trustworthy_figures"),
        ("metrics", "0003_readings_by_month"),
        ("metrics", "0004_alarms_keep_facts"),
        ("metrics", "0005_consent_reminders"),
        ("metrics", "0006_unusable_answers"),
        ("metrics", "0007_bind_tokens"),
        ("metrics", "0008_handle_folded"),
        ("metrics", "0009_peak"),
        ("metrics", "0010_alarms_of_higher_rooms"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("jobs", "0001_squashed_0004_results_end"),
        ("trainees", "0001_squashed_0012_former_numbers"),
    ]

    operations = [
        migrations.CreateModel(
            name="CreatorAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")],
                        default="kuaishou",
                        max_length=10,
                        verbose_name="platform",
                    ),
                ),
                ("handle", models.CharField(max_length=60, verbose_name="account number")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unlinked", "not connected"),
                            ("linked", "connected"),
                            ("needs_consent", "needs consent again"),
                            ("withdrawn", "consent withdrawn"),
                            ("gone", "not found on the platform"),
                        ],
                        default="unlinked",
                        editable=False,
                        max_length=15,
                        verbose_name="state",
                    ),
                ),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "creator account",
                "verbose_name_plural": "creator accounts",
                "ordering": ["pk"],
                "indexes": [
                    models.Index(
                        django.contrib.postgres.indexes.OpClass(
                            django.db.models.functions.text.Lower("handle"), name="text_pattern_ops"
                        ),
                        name="account_handle_folded",
                    ),
                    models.Index(fields=["state", "trainee"], name="account_state"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("platform", "handle"),
                        name="one_account_per_platform_and_handle",
                        violation_error_message="This account belongs to a trainee already.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RegionDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "code", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=6, verbose_name="region")),
                ("day", models.DateField(verbose_name="day")),
                ("accounts", models.IntegerField(verbose_name="accounts")),
                ("followers", models.BigIntegerField(verbose_name="followers")),
                ("people", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ("read", models.IntegerField(verbose_name="accounts read")),
                ("compared", models.IntegerField(verbose_name="of them read before")),
                ("growth", models.BigIntegerField(verbose_name="gained since they were read before")),
            ],
            options={
                "verbose_name": "day of a region",
                "verbose_name_plural": "days of regions",
            },
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("not_started", "the refresh did not start"),
                            ("not_finished", "the refresh is not finished"),
                            ("coverage", "too few accounts were read lately"),
                            ("oldest", "an account was not read for too long"),
                            ("partition", "a month has no place of its own for readings"),
                            ("not_awarded", "people meet a rule, and no evaluation found them"),
                            ("unproven", "awards without evidence"),
                        ],
                        max_length=15,
                        verbose_name="what",
                    ),
                ),
                (
                    "platform",
                    models.CharField(
                        blank=True,
                        choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")],
                        max_length=10,
                        verbose_name="platform",
                    ),
                ),
                ("facts", models.JSONField(default=dict, editable=False)),
                ("raised_at", models.DateTimeField(verbose_name="since")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
                ("cleared_at", models.DateTimeField(null=True, verbose_name="over since")),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
                "ordering": ["-raised_at"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at", None)),
                        fields=("kind", "platform"),
                        name="one_open_alarm_per_kind_and_platform",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LatestReading",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="latest",
                        serialize=False,
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("followers", models.PositiveIntegerField(verbose_name="followers")),
                ("fetched_at", models.DateTimeField(verbose_name="fetched at")),
                (
                    "source",
                    models.CharField(
                        choices=[("api", "platform interface"), ("file", "file of figures")],
                        default="api",
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("previous_day", models.DateField(null=True)),
                ("previous_followers", models.PositiveIntegerField(null=True)),
                ("growth", models.FloatField(null=True, verbose_name="followers a day")),
                ("peak", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "latest reading",
                "verbose_name_plural": "latest readings",
            },
        ),
        migrations.CreateModel(
            name="AccountCalls",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField()),
                ("calls", models.PositiveSmallIntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="metrics.creatoraccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "calls of an account",
                "verbose_name_plural": "calls of accounts",
            },
        ),
        migrations.CreateModel(
            name="CallBudget",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("platform", models.CharField(choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")], max_length=10)),
                ("day", models.DateField()),
                ("spent", models.PositiveIntegerField(default=0)),
            ],
            options={
                "verbose_name": "calls of a day",
                "verbose_name_plural": "calls of a day",
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "day"), name="one_budget_per_platform_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("granted", "consent given"),
                            ("renewed", "consent renewed"),
                            ("withdrawn", "consent withdrawn"),
                            ("lost", "consent lost"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("over", "its time was over"),
                            ("revoked", "withdrawn on the platform"),
                            ("key", "the platform does not accept our key any more"),
                            ("other_account", "for another account of the platform than before"),
                        ],
                        max_length=15,
                        verbose_name="why",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_events",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by whom",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a consent",
                "verbose_name_plural": "events of consents",
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ConsentReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ends_on", models.DateField(verbose_name="consent until")),
                ("stage", models.PositiveSmallIntegerField(verbose_name="days before")),
                ("due_on", models.DateField(verbose_name="due on")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("seen_at", models.DateTimeField(null=True, verbose_name="first seen by the trainee")),
                ("closed_at", models.DateTimeField(null=True, verbose_name="closed at")),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("renewed", "consented anew"),
                            ("withdrawn", "consent withdrawn"),
                            ("lost", "consent over or lost"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consent_reminders",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder of a consent's end",
                "verbose_name_plural": "reminders of consents' ends",
                "ordering": ["-due_on", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "ends_on", "stage"), name="one_reminder_per_consent_and_stage"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(("closed_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="closed_reminder_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentRequest",
            fields=[
                ("state", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("session", models.CharField(blank=True, default="", max_length=64)),
                ("asked_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="metrics.creatoraccount"
                    ),
                ),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("old_followers", models.PositiveIntegerField(verbose_name="followers before")),
                ("new_followers", models.PositiveIntegerField(verbose_name="followers after")),
                (
                    "old_source",
                    models.CharField(
                        choices=[("api", "platform interface"), ("file", "file of figures")],
                        max_length=10,
                        verbose_name="source before",
                    ),
                ),
                (
                    "new_source",
                    models.CharField(
                        choices=[("api", "platform interface"), ("file", "file of figures")],
                        max_length=10,
                        verbose_name="source after",
                    ),
                ),
                ("old_fetched_at", models.DateTimeField()),
                ("new_fetched_at", models.DateTimeField(verbose_name="at")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "corrected reading",
                "verbose_name_plural": "corrected readings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "day", "new_fetched_at"), name="one_correction_per_answer"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Crossing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("threshold", models.PositiveIntegerField(verbose_name="threshold")),
                ("day", models.DateField(verbose_name="day")),
                ("followers", models.PositiveIntegerField(verbose_name="followers")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="crossings",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "threshold crossing",
                "verbose_name_plural": "threshold crossings",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "threshold", "account"), name="one_crossing_per_day_and_threshold"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FreshnessCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "check of freshness",
                "verbose_name_plural": "checks of freshness",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="one_row_tells_when_freshness_was_checked"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="PlatformEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")], max_length=10, verbose_name="platform"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                (
                    "kind",
                    models.CharField(
                        choices=[("cleaning", "followers removed by the platform")], max_length=10, verbose_name="what"
                    ),
                ),
                ("read", models.PositiveIntegerField(verbose_name="accounts compared")),
                ("hit", models.PositiveIntegerField(verbose_name="accounts hit")),
                ("lost", models.PositiveIntegerField(verbose_name="followers lost")),
                ("noticed_at", models.DateTimeField(verbose_name="noticed at")),
            ],
            options={
                "verbose_name": "event of the platform",
                "verbose_name_plural": "events of the platform",
                "ordering": ["-day"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("platform", "day", "kind"), name="one_event_per_platform_day_and_kind"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RefreshRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "platform",
                    models.CharField(
                        choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")], max_length=10, verbose_name="platform"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("planned", models.PositiveIntegerField(default=0, verbose_name="accounts planned")),
                ("budget", models.PositiveIntegerField(editable=False, null=True, verbose_name="calls allowed")),
                ("reasons", models.JSONField(default=dict, editable=False)),
                ("started_at", models.DateTimeField(verbose_name="started at")),
                ("clock_shift", models.DurationField(default=datetime.timedelta, editable=False)),
                ("stop_asked_at", models.DateTimeField(editable=False, null=True, verbose_name="stopped at")),
                ("error", models.CharField(blank=True, editable=False, max_length=300, verbose_name="why stopped")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished at")),
            ],
            options={
                "verbose_name": "refresh run",
                "verbose_name_plural": "refresh runs",
                "ordering": ["-day", "platform"],
                "constraints": [
                    models.UniqueConstraint(fields=("platform", "day"), name="one_run_per_platform_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="RefreshFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("transient", "platform did not answer"),
                            ("rate_limited", "too many calls a second"),
                            ("quota_spent", "calls of the day used up"),
                            ("account_limit", "calls of the day for this account used up"),
                            ("reauthorise", "needs consent again"),
                            ("gone", "not found on the platform"),
                            ("bad_answer", "answer without a usable figure"),
                            ("other_day", "the platform's day is another one"),
                            ("misconfigured", "wrong settings for the platform"),
                        ],
                        max_length=15,
                        verbose_name="why",
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=20, verbose_name="platform's code")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="failures",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="failures", to="metrics.refreshrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "failed reading",
                "verbose_name_plural": "failed readings",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "account"), name="one_failure_per_run_and_account")
                ],
            },
        ),
        migrations.CreateModel(
            name="RefreshBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "account_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None),
                ),
                ("read", models.PositiveIntegerField(default=0, verbose_name="read")),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
                ("quarantined", models.PositiveIntegerField(default=0, verbose_name="held back")),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "job",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="jobs.job"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="metrics.refreshrun"
                    ),
                ),
            ],
            options={
                "verbose_name": "refresh batch",
                "verbose_name_plural": "refresh batches",
                "constraints": [models.UniqueConstraint(fields=("run", "number"), name="one_batch_per_run_and_number")],
            },
        ),
        migrations.CreateModel(
            name="Reading",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day", "account_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("followers", models.PositiveIntegerField(verbose_name="followers")),
                ("following", models.PositiveIntegerField(null=True, verbose_name="following")),
                (
                    "source",
                    models.CharField(
                        choices=[("api", "platform interface"), ("file", "file of figures")],
                        default="api",
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("fetched_at", models.DateTimeField(verbose_name="fetched at")),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="metrics.creatoraccount",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="readings",
                        to="metrics.refreshrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "reading",
                "verbose_name_plural": "readings",
                "indexes": [
                    models.Index(
                        condition=models.Q(("followers__gte", 10000)),
                        fields=["account", "day"],
                        include=("followers",),
                        name="reading_over_threshold",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="QuarantinedReading",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("followers", models.PositiveIntegerField(null=True, verbose_name="followers")),
                ("told", models.CharField(blank=True, max_length=30, verbose_name="what the platform told")),
                ("following", models.PositiveIntegerField(null=True)),
                (
                    "source",
                    models.CharField(
                        choices=[("api", "platform interface"), ("file", "file of figures")],
                        max_length=10,
                        verbose_name="source",
                    ),
                ),
                ("fetched_at", models.DateTimeField(verbose_name="fetched at")),
                ("last_day", models.DateField(null=True, verbose_name="last read on")),
                ("last_followers", models.PositiveIntegerField(null=True, verbose_name="followers then")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("drop", "fell by half or more"),
                            ("rise", "rose tenfold or more"),
                            ("missing", "no figure in the answer"),
                            ("no_number", "not a whole number"),
                            ("negative", "below zero"),
                            ("absurd", "larger than can be"),
                        ],
                        max_length=10,
                        verbose_name="why",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to be looked at"), ("accepted", "accepted"), ("rejected", "rejected")],
                        default="open",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("decided_at", models.DateTimeField(null=True, verbose_name="decided at")),
                ("remark", models.CharField(blank=True, max_length=200, verbose_name="remark")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quarantined",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="quarantined",
                        to="metrics.refreshrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "reading held back",
                "verbose_name_plural": "readings held back",
                "ordering": ["-day", "pk"],
                "indexes": [
                    models.Index(condition=models.Q(("state", "open")), fields=["account"], name="held_back_open")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "day"), name="one_held_back_per_account_and_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("followers", None), ("why__in", ("missing", "no_number", "negative", "absurd"))),
                            models.Q(
                                ("followers__isnull", False),
                                ("last_day__isnull", False),
                                ("last_followers__isnull", False),
                                models.Q(("why__in", ("missing", "no_number", "negative", "absurd")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="odd_figures_are_figures_and_unusable_answers_none",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("followers", None), ("state", "accepted"), _negated=True),
                        name="only_figures_are_accepted",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Spike",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("gained", models.PositiveIntegerField(verbose_name="gained a day")),
                ("usual", models.FloatField(verbose_name="usually a day")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="spikes",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "leap of followers",
                "verbose_name_plural": "leaps of followers",
                "ordering": ["-day", "pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("account", "day"), name="one_spike_per_account_and_day")
                ],
            },
        ),
        migrations.CreateModel(
            name="Authorisation",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="authorisation",
                        serialize=False,
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "platform",
                    models.CharField(
                        choices=[("kuaishou", "Kuaishou"), ("douyin", "Douyin")],
                        default="kuaishou",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("external_id", models.CharField(editable=False, max_length=200, verbose_name="platform's id")),
                ("access_token", incubator.common.encryption.EncryptedTextField(bound=True)),
                ("refresh_token", incubator.common.encryption.EncryptedTextField(bound=True)),
                ("access_expires_at", models.DateTimeField(editable=False, verbose_name="access until")),
                (
                    "refresh_expires_at",
                    models.DateTimeField(db_index=True, editable=False, verbose_name="consent until"),
                ),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, editable=False, size=None
                    ),
                ),
                ("granted_at", models.DateTimeField(editable=False, verbose_name="consented at")),
                ("rotation", models.PositiveIntegerField(default=0, editable=False, verbose_name="times refreshed")),
                ("claimed_until", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "authorisation",
                "verbose_name_plural": "authorisations",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("platform", "external_id"), name="one_authorisation_per_external_id"
                    )
                ],
            },
        ),
        migrations.RunSQL(PARTITION, migrations.RunSQL.noop),
        migrations.RunSQL(AS_OF, "DROP FUNCTION metrics_reading_as_of"),
        migrations.RunSQL(
            "ALTER TABLE metrics_latestreading SET (fillfactor = 50)",
            "ALTER TABLE metrics_latestreading RESET (fillfactor)",
        ),
        migrations.RunSQL(EVENTS_STAY, EVENTS_GO),
    ]

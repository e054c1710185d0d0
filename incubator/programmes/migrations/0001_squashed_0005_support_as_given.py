"""The tables as 0001 to 0005 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Rows are added and never changed or deleted. Whose they are may change: two records of a person become one.
CHANGES_STAY = """
CREATE FUNCTION programmes_support_changes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'changes of support periods are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER programmes_support_changes_stay
    BEFORE DELETE OR UPDATE OF id, kind, cause, days, first_day, last_day, is_open, about_id, reason, by_id, at
    ON programmes_supportchange FOR EACH ROW EXECUTE FUNCTION programmes_support_changes_stay();
"""
CHANGES_GO = """
DROP TRIGGER programmes_support_changes_stay ON programmes_supportchange;
DROP FUNCTION programmes_support_changes_stay();
"""
# The limits of the cohort, for whoever does not go through the services. The participation is locked first, so that of
# two rows at once the second counts the first. What only shortens is never refused: limits may have been lowered since.
CHANGES_KEEP_LIMITS = """
CREATE FUNCTION programmes_support_changes_keep_limits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person record;
    subject programmes_supportchange;
    given record;
BEGIN
    SELECT participation.support_base_ends_on, cohort.most_extension_days, cohort.most_pause_days INTO person
    FROM programmes_participation participation
    JOIN programmes_cohort cohort ON cohort.id = participation.cohort_id
    WHERE participation.id = NEW.participation_id FOR NO KEY UPDATE OF participation;

    IF NEW.kind IN ('extension', 'pause') AND person.support_base_ends_on IS NULL THEN
        RAISE EXCEPTION 'there is no support period, or its end as given was not noted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'support_changes_where_it_was_given';
    END IF;

    IF NEW.about_id IS NOT NULL THEN
        SELECT * INTO subject FROM programmes_supportchange
        WHERE id = NEW.about_id AND participation_id = NEW.participation_id;
        IF subject.id IS NULL OR subject.kind = 'taking_back' OR NEW.kind = 'resumption' AND (
            subject.kind <> 'pause' OR NEW.last_day < subject.first_day OR NEW.last_day > subject.last_day
        ) THEN
            RAISE EXCEPTION 'this change cannot be about that one'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'support_change_is_about_what_it_can_be';
        END IF;
    END IF;

    WITH everything AS (
        SELECT * FROM programmes_supportchange WHERE participation_id = NEW.participation_id
        UNION ALL SELECT NEW.*
    ), in_force AS (
        SELECT * FROM everything one WHERE kind <> 'taking_back' AND NOT EXISTS (
            SELECT FROM everything gone WHERE gone.kind = 'taking_back' AND gone.about_id = one.id
        )
    ), pause AS (
        SELECT begun.id, begun.first_day, coalesce(ended.last_day, begun.last_day) AS last_day
        FROM in_force begun LEFT JOIN in_force ended ON ended.kind = 'resumption' AND ended.about_id = begun.id
        WHERE begun.kind = 'pause'
    )
    SELECT
        (SELECT coalesce(sum(days), 0) FROM in_force WHERE kind = 'extension') AS extended,
        (SELECT coalesce(sum(last_day - first_day + 1), 0) FROM pause) AS paused,
        EXISTS (
            SELECT FROM pause one JOIN pause other ON other.id > one.id
                AND other.first_day <= one.last_day AND one.first_day <= other.last_day
        ) AS overlap,
        EXISTS (SELECT FROM pause GROUP BY id HAVING count(*) > 1) AS twice
    INTO given;

    IF NEW.kind = 'extension' AND given.extended > person.most_extension_days THEN
        RAISE EXCEPTION 'more days of extension than the cohort allows'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'support_is_extended_within_the_limit';
    END IF;
    IF given.twice THEN
        RAISE EXCEPTION 'a pause ends once'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'support_goes_on_once_after_a_pause';
    END IF;
    IF NEW.kind = 'pause' OR NEW.kind = 'taking_back' AND subject.kind = 'resumption' THEN
        IF given.paused > person.most_pause_days THEN
            RAISE EXCEPTION 'more days of pause than the cohort allows'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'support_is_paused_within_the_limit';
        END IF;
        IF given.overlap THEN
            RAISE EXCEPTION 'two pauses have a day in common'
                USING ERRCODE = 'exclusion_violation', CONSTRAINT = 'pauses_of_support_have_no_day_in_common';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programmes_support_changes_keep_limits BEFORE INSERT ON programmes_supportchange
    FOR EACH ROW EXECUTE FUNCTION programmes_support_changes_keep_limits();
"""
CHANGES_KNOW_NO_LIMITS = """
DROP TRIGGER programmes_support_changes_keep_limits ON programmes_supportchange;
DROP FUNCTION programmes_support_changes_keep_limits();
"""


class Migration(migrations.Migration):
    replaces = [
        ("programmes", "0001_initial"),
        ("programmes", "0002_lists_in_order"),
        ("programmes", "0003_roster_conditions"),
        ("programmes", "0004_support_changes"),
        ("programmes", "0005_support_as_given"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("trainees", "0001_squashed_0012_former_numbers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Cohort",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("starts_on", models.DateField(verbose_name="starts on")),
                ("ends_on", models.DateField(verbose_name="ends on")),
                ("support_days", models.PositiveSmallIntegerField(default=180, verbose_name="days of support")),
                (
                    "most_extension_days",
                    models.PositiveSmallIntegerField(
                        db_default=90,
                        default=90,
                        help_text="Of one person, in all. 0 forbids it.",
                        verbose_name="most days of extension",
                    ),
                ),
                (
                    "most_pause_days",
                    models.PositiveSmallIntegerField(
                        db_default=180,
                        default=180,
                        help_text="Of one person, in all. 0 forbids it.",
                        verbose_name="most days of pause",
                    ),
                ),
                (
                    "grace_days",
                    models.PositiveSmallIntegerField(
                        db_default=30,
                        default=30,
                        help_text="So many days after its end a support period can still be lengthened.",
                        verbose_name="days of grace",
                    ),
                ),
                ("min_age", models.PositiveSmallIntegerField(default=16, verbose_name="youngest age")),
                ("max_age", models.PositiveSmallIntegerField(default=35, verbose_name="oldest age")),
                (
                    "out_of_age",
                    models.CharField(
                        choices=[("ignore", "no matter"), ("warn", "a warning"), ("refuse", "an error")],
                        default="warn",
                        max_length=10,
                        verbose_name="younger or older",
                    ),
                ),
                (
                    "without_id_number",
                    models.CharField(
                        choices=[("ignore", "no matter"), ("warn", "a warning"), ("refuse", "an error")],
                        default="refuse",
                        max_length=10,
                        verbose_name="no ID number",
                    ),
                ),
                (
                    "without_phone",
                    models.CharField(
                        choices=[("ignore", "no matter"), ("warn", "a warning"), ("refuse", "an error")],
                        default="refuse",
                        max_length=10,
                        verbose_name="no phone",
                    ),
                ),
                (
                    "without_account",
                    models.CharField(
                        choices=[("ignore", "no matter"), ("warn", "a warning"), ("refuse", "an error")],
                        default="ignore",
                        max_length=10,
                        verbose_name="no account",
                    ),
                ),
            ],
            options={
                "verbose_name": "cohort",
                "verbose_name_plural": "cohorts",
                "ordering": ["-starts_on", "name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on__gte", models.F("starts_on"))),
                        name="cohort_ends_after_it_starts",
                        violation_error_message="The cohort must not end before it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("support_days__gte", 1)), name="cohort_supports_a_day_or_more"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("max_age__gte", models.F("min_age"))),
                        name="oldest_age_is_not_below_the_youngest",
                        violation_error_message="The oldest age must not be below the youngest.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Programme",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("description", models.TextField(blank=True, verbose_name="description")),
            ],
            options={
                "verbose_name": "programme",
                "verbose_name_plural": "programmes",
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Participation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("nominated", "nominated"),
                            ("admitted", "admitted"),
                            ("training", "in training"),
                            ("graduated", "graduated"),
                            ("concluded", "concluded"),
                            ("withdrawn", "withdrawn"),
                            ("refused", "refused"),
                        ],
                        default="nominated",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("nominated_on", models.DateField(verbose_name="nominated on")),
                ("graduated_on", models.DateField(editable=False, null=True, verbose_name="graduated on")),
                ("support_starts_on", models.DateField(editable=False, null=True, verbose_name="support from")),
                ("support_ends_on", models.DateField(editable=False, null=True, verbose_name="support until")),
                (
                    "support_base_ends_on",
                    models.DateField(editable=False, null=True, verbose_name="support until, as given"),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participations",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
                (
                    "trainee",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="participations",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "participation",
                "verbose_name_plural": "participations",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["cohort", "trainee"], include=("state",), name="participation_cohort"),
                    models.Index(fields=["state", "trainee"], include=("cohort",), name="participation_state"),
                    models.Index(
                        condition=models.Q(("state", "graduated")), fields=["support_ends_on"], name="support_ends_soon"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("trainee", "cohort"), name="one_participation_per_trainee_and_cohort"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("support_ends_on", None), ("support_starts_on", None)),
                            models.Q(
                                ("support_ends_on__gte", models.F("support_starts_on")),
                                ("support_starts_on__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="support_has_both_ends_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("graduated", "concluded")), _negated=True),
                            models.Q(("graduated_on__isnull", False), ("support_starts_on__isnull", False)),
                            _connector="OR",
                        ),
                        name="graduation_has_a_day_and_opens_support",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("support_base_ends_on", None),
                            ("support_base_ends_on__gte", models.F("support_starts_on")),
                            _connector="OR",
                        ),
                        name="support_was_given_from_its_start",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ParticipationMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "before",
                    models.CharField(
                        choices=[
                            ("nominated", "nominated"),
                            ("admitted", "admitted"),
                            ("training", "in training"),
                            ("graduated", "graduated"),
                            ("concluded", "concluded"),
                            ("withdrawn", "withdrawn"),
                            ("refused", "refused"),
                        ],
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("nominated", "nominated"),
                            ("admitted", "admitted"),
                            ("training", "in training"),
                            ("graduated", "graduated"),
                            ("concluded", "concluded"),
                            ("withdrawn", "withdrawn"),
                            ("refused", "refused"),
                        ],
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="programmes.participation"
                    ),
                ),
            ],
            options={
                "verbose_name": "change of state",
                "verbose_name_plural": "changes of state",
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="cohort",
            name="programme",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cohorts",
                to="programmes.programme",
                verbose_name="programme",
            ),
        ),
        migrations.CreateModel(
            name="SupportChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("extension", "extension"),
                            ("pause", "pause"),
                            ("resumption", "end of a pause"),
                            ("taking_back", "taking back"),
                        ],
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("illness", "illness"),
                            ("suspended", "account suspended by the platform"),
                            ("other", "other"),
                        ],
                        max_length=10,
                        verbose_name="cause",
                    ),
                ),
                ("days", models.PositiveSmallIntegerField(null=True, verbose_name="days")),
                ("first_day", models.DateField(null=True, verbose_name="first day")),
                ("last_day", models.DateField(null=True, verbose_name="last day")),
                ("is_open", models.BooleanField(default=False, verbose_name="until further notice")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "about",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="answers",
                        to="programmes.supportchange",
                        verbose_name="about",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="support_changes",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a support period",
                "verbose_name_plural": "changes of support periods",
                "ordering": ["-pk"],
                "permissions": [("decide_supportchange", "Can extend, pause and resume support periods")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("days__gte", 1), ("first_day", None), ("kind", "extension"), ("last_day", None)),
                            models.Q(
                                ("days", None),
                                ("first_day__isnull", False),
                                ("kind", "pause"),
                                ("last_day__gte", models.F("first_day")),
                            ),
                            models.Q(
                                ("days", None), ("first_day", None), ("kind", "resumption"), ("last_day__isnull", False)
                            ),
                            models.Q(("days", None), ("first_day", None), ("kind", "taking_back"), ("last_day", None)),
                            _connector="OR",
                        ),
                        name="support_change_says_what_its_kind_needs",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_open", False), ("kind", "pause"), _connector="OR"),
                        name="only_a_pause_is_open_ended",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("about", None),
                                ("kind__in", ("extension", "pause")),
                                models.Q(("cause", ""), _negated=True),
                            ),
                            models.Q(
                                ("about__isnull", False), ("cause", ""), ("kind__in", ("resumption", "taking_back"))
                            ),
                            _connector="OR",
                        ),
                        name="what_lengthens_support_has_a_cause_and_the_rest_a_subject",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="support_change_has_a_reason"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "taking_back")),
                        fields=("about",),
                        name="one_taking_back_per_support_change",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SupportReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ends_on", models.DateField(verbose_name="support until")),
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
                            ("next", "the next reminder fell due"),
                            ("moved", "the end was moved"),
                            ("paused", "the period is paused"),
                            ("settled", "certified"),
                            ("ended", "the participation ended"),
                            ("over", "the period is over"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="support_reminders",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "reminder of a support period's end",
                "verbose_name_plural": "reminders of support periods' ends",
                "ordering": ["ends_on", "pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)), fields=["ends_on"], name="open_support_reminders"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at", None)),
                        fields=("participation",),
                        name="one_open_reminder_per_support_period",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at", None), ("outcome", "")),
                            models.Q(("closed_at__isnull", False), models.Q(("outcome", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="closed_support_reminder_says_why",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="cohort",
            constraint=models.UniqueConstraint(fields=("programme", "name"), name="one_cohort_per_programme_and_name"),
        ),
        migrations.RunSQL(CHANGES_STAY, CHANGES_GO),
        migrations.RunSQL(CHANGES_KEEP_LIMITS, CHANGES_KNOW_NO_LIMITS),
    ]

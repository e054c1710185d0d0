"""The tables as 0001 to 0008 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import incubator.certification.models.awards
import incubator.certification.models.rules

KEEP_RULES = """
CREATE FUNCTION certification_rule_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'a published rule version is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER certification_rule_stays BEFORE UPDATE OR DELETE ON certification_rule
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION certification_rule_stays();
"""
DROP_KEEP_RULES = """
DROP TRIGGER certification_rule_stays ON certification_rule;
DROP FUNCTION certification_rule_stays();
"""
# Whatever changes one of these, services, imports or a shell: the next evaluation looks at the participation again.
# Statement by statement, so that graduating a cohort of 100,000 adds one insert. Only people who are evaluated at all
# are noted: those admitted, in training, graduated or concluded, before or after the change.
LOOK_AGAIN = """
CREATE FUNCTION certification_look_again(ids bigint[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO certification_recheck (participation_id, since) SELECT DISTINCT one, now() FROM unnest(ids) AS one
    ORDER BY 1 ON CONFLICT (participation_id) DO UPDATE SET since = excluded.since
$$;

CREATE FUNCTION certification_participation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_look_again(array_agg(became.id))
    FROM new_rows became LEFT JOIN old_rows was USING (id)
    WHERE (became.state IN ('admitted', 'training', 'graduated', 'concluded')
            OR was.state IN ('admitted', 'training', 'graduated', 'concluded'))
        AND ROW(became.state, became.trainee_id, became.cohort_id, became.graduated_on, became.support_starts_on,
            became.support_ends_on) IS DISTINCT FROM ROW(was.state, was.trainee_id, was.cohort_id, was.graduated_on,
            was.support_starts_on, was.support_ends_on)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again AFTER UPDATE ON programmes_participation
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION certification_participation_changed();

CREATE FUNCTION certification_participation_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_look_again(array_agg(id)) FROM new_rows
    WHERE state IN ('admitted', 'training', 'graduated', 'concluded') HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again_at_new AFTER INSERT ON programmes_participation
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION certification_participation_added();

CREATE FUNCTION certification_cohort_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_look_again(array_agg(id)) FROM programmes_participation
    WHERE cohort_id = NEW.id AND state IN ('admitted', 'training', 'graduated', 'concluded') HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again AFTER UPDATE OF starts_on, ends_on ON programmes_cohort
    FOR EACH ROW WHEN (ROW(NEW.starts_on, NEW.ends_on) IS DISTINCT FROM ROW(OLD.starts_on, OLD.ends_on))
    EXECUTE FUNCTION certification_cohort_changed();

CREATE FUNCTION certification_people_changed(people bigint[]) RETURNS void LANGUAGE sql AS $$
    SELECT certification_look_again(array_agg(id)) FROM programmes_participation
    WHERE trainee_id = ANY(people) AND state IN ('admitted', 'training', 'graduated', 'concluded') HAVING count(*) > 0
$$;
CREATE FUNCTION certification_account_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_people_changed(ARRAY[OLD.trainee_id, NEW.trainee_id]);
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again AFTER UPDATE OF trainee_id ON metrics_creatoraccount
    FOR EACH ROW WHEN (NEW.trainee_id <> OLD.trainee_id) EXECUTE FUNCTION certification_account_moved();

CREATE FUNCTION certification_flags_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_people_changed(array_agg(DISTINCT account.trainee_id))
    FROM new_rows JOIN metrics_creatoraccount account ON account.id = account_id HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again AFTER INSERT ON certification_flag
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION certification_flags_changed();
CREATE TRIGGER certification_look_again_at_changed AFTER UPDATE ON certification_flag
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION certification_flags_changed();

CREATE FUNCTION certification_works_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM certification_people_changed(array_agg(DISTINCT trainee_id)) FROM new_rows HAVING count(*) > 0;
    RETURN NULL;
END $$;
CREATE TRIGGER certification_look_again AFTER INSERT ON certification_work
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION certification_works_changed();
CREATE TRIGGER certification_look_again_at_changed AFTER UPDATE ON certification_work
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION certification_works_changed();
"""
DROP_LOOK_AGAIN = """
DROP TRIGGER certification_look_again ON programmes_participation;
DROP TRIGGER certification_look_again_at_new ON programmes_participation;
DROP TRIGGER certification_look_again ON programmes_cohort;
DROP TRIGGER certification_look_again ON metrics_creatoraccount;
DROP TRIGGER certification_look_again ON certification_flag;
DROP TRIGGER certification_look_again_at_changed ON certification_flag;
DROP TRIGGER certification_look_again ON certification_work;
DROP TRIGGER certification_look_again_at_changed ON certification_work;
DROP FUNCTION certification_participation_changed(), certification_participation_added(),
    certification_cohort_changed(), certification_account_moved(), certification_flags_changed(),
    certification_works_changed(), certification_people_changed(bigint[]), certification_look_again(bigint[]);
"""
# After the update and only where one of these changed, so that everything else of an award may change: it moves to
# another record of the same person, is withdrawn, gets the corrected name.
KEEP_AWARDS = """
CREATE FUNCTION certification_award_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what an award says is never changed' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER certification_award_stays AFTER UPDATE ON certification_award FOR EACH ROW
    WHEN (ROW(NEW.evidence, NEW.number, NEW.code, NEW.badge_id, NEW.candidate_id, NEW.awarded_on, NEW.awarded_by_id)
        IS DISTINCT FROM
        ROW(OLD.evidence, OLD.number, OLD.code, OLD.badge_id, OLD.candidate_id, OLD.awarded_on, OLD.awarded_by_id))
    EXECUTE FUNCTION certification_award_stays();
"""
DROP_KEEP_AWARDS = """
DROP TRIGGER certification_award_stays ON certification_award;
DROP FUNCTION certification_award_stays();
"""


class Migration(migrations.Migration):
    replaces = [
        ("certification", "0001_initial"),
        ("certification", "0002_number_sequence"),
        ("certification", "0003_codes_and_numbers_by_county"),
        ("certification", "0004_rules_as_data"),
        ("certification", "0005_days_written_late"),
        ("certification", "0006_who_answers"),
        ("certification", "0007_awards_stay_as_given"),
        ("certification", "0008_notes_are_no_relations"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("metrics", "0001_squashed_0010_alarms_of_higher_rooms"),
        ("programmes", "0001_squashed_0005_support_as_given"),
        ("regions", "0001_initial"),
        ("trainees", "0001_squashed_0012_former_numbers"),
    ]

    operations = [
        migrations.CreateModel(
            name="AwardCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(unique=True, verbose_name="day")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("awards", models.PositiveIntegerField(verbose_name="awards decided anew")),
                ("eligible", models.PositiveIntegerField(verbose_name="meet a rule, and are no candidates")),
                ("unproven", models.PositiveIntegerField(verbose_name="awards without evidence")),
                ("explained", models.PositiveIntegerField(verbose_name="differences that are explained")),
                ("findings", models.JSONField(default=dict, editable=False)),
            ],
            options={
                "verbose_name": "check of awards",
                "verbose_name_plural": "checks of awards",
                "ordering": ["-day"],
            },
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(verbose_name="day")),
                ("is_complete", models.BooleanField(verbose_name="of everybody")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("looked_at", models.PositiveIntegerField(null=True, verbose_name="looked at")),
                ("found", models.PositiveIntegerField(default=0, verbose_name="new candidates")),
                ("ripened", models.PositiveIntegerField(default=0, verbose_name="held long enough")),
                ("lapsed", models.PositiveIntegerField(default=0, verbose_name="no longer met")),
            ],
            options={
                "verbose_name": "evaluation",
                "verbose_name_plural": "evaluations",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Recheck",
            fields=[
                ("participation_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RecheckDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="Badge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("level", models.PositiveSmallIntegerField(default=1, verbose_name="level")),
                (
                    "valid_days",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Empty: an award does not expire.",
                        null=True,
                        verbose_name="valid for days",
                    ),
                ),
            ],
            options={
                "verbose_name": "badge",
                "verbose_name_plural": "badges",
                "ordering": ["level", "code"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("valid_days", None), ("valid_days__gte", 1), _connector="OR"),
                        name="badge_is_valid_for_a_day_or_more",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("crossed_on", models.DateField(null=True, verbose_name="reached on")),
                ("followers", models.PositiveIntegerField(null=True, verbose_name="followers that day")),
                ("held_on", models.DateField(null=True, verbose_name="held long enough on")),
                ("found_on", models.DateField(verbose_name="found on")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("holding", "holding the number"),
                            ("pending", "to be reviewed"),
                            ("asked", "asked back"),
                            ("proposed", "proposed, a second person decides"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("lapsed", "no longer meets the rule"),
                        ],
                        db_index=True,
                        default="pending",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("proposed_at", models.DateTimeField(editable=False, null=True, verbose_name="proposed at")),
                ("remark", models.CharField(blank=True, editable=False, max_length=300, verbose_name="remark")),
                ("question", models.CharField(blank=True, editable=False, max_length=300, verbose_name="question")),
                ("answer", models.CharField(blank=True, editable=False, max_length=300, verbose_name="answer")),
                ("decided_at", models.DateTimeField(editable=False, null=True, verbose_name="decided at")),
                ("reason", models.CharField(blank=True, editable=False, max_length=300, verbose_name="reason")),
                ("was_decided_alone", models.BooleanField(default=False, editable=False)),
                ("lapsed_at", models.DateTimeField(editable=False, null=True, verbose_name="no longer met since")),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="candidacies",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="proposed by",
                    ),
                ),
            ],
            options={
                "verbose_name": "candidate",
                "verbose_name_plural": "candidates",
                "ordering": ["-crossed_on", "-pk"],
                "permissions": [
                    ("answer_candidate", "Can answer what was asked back about a candidate"),
                    ("explain_candidate", "Can read why somebody has a badge or has not"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("approved", "refused")), _negated=True),
                            models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="decided_candidates_say_by_whom_and_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "refused"), _negated=True),
                            models.Q(("reason", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="refused_candidates_are_told_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "proposed"), _negated=True),
                            models.Q(("proposed_at__isnull", False), ("proposed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="proposed_candidates_say_by_whom_and_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "approved"), _negated=True),
                            ("was_decided_alone", True),
                            models.Q(
                                ("proposed_by__isnull", False),
                                models.Q(("proposed_by", models.F("decided_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="two_people_approve_a_candidate",
                        violation_error_message="Who proposed it cannot approve it too.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("crossed_on", None), ("followers", None)),
                            models.Q(
                                ("account__isnull", False), ("crossed_on__isnull", False), ("followers__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="a_number_has_an_account_and_a_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "before",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("holding", "holding the number"),
                            ("pending", "to be reviewed"),
                            ("asked", "asked back"),
                            ("proposed", "proposed, a second person decides"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("lapsed", "no longer meets the rule"),
                        ],
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[
                            ("holding", "holding the number"),
                            ("pending", "to be reviewed"),
                            ("asked", "asked back"),
                            ("proposed", "proposed, a second person decides"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("lapsed", "no longer meets the rule"),
                        ],
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                ("words", models.CharField(blank=True, max_length=300, verbose_name="words")),
                (
                    "by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "candidate",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="certification.candidate",
                        verbose_name="candidate",
                    ),
                ),
            ],
            options={
                "verbose_name": "event of a candidacy",
                "verbose_name_plural": "events of candidacies",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Rule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.PositiveSmallIntegerField(verbose_name="version")),
                (
                    "conditions",
                    models.JSONField(
                        default=incubator.certification.models.rules.default_conditions, verbose_name="conditions"
                    ),
                ),
                ("valid_from", models.DateField(blank=True, null=True, verbose_name="decides from")),
                ("valid_until", models.DateField(blank=True, null=True, verbose_name="decides until")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what changed")),
                (
                    "published_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="published at"),
                ),
                (
                    "badge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rules",
                        to="certification.badge",
                        verbose_name="badge",
                    ),
                ),
                (
                    "published_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
            ],
            options={
                "verbose_name": "certification rule",
                "verbose_name_plural": "certification rules",
                "ordering": ["badge", "-version"],
                "constraints": [
                    models.UniqueConstraint(fields=("badge", "version"), name="one_rule_per_badge_and_version"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from", None),
                            ("valid_until", None),
                            ("valid_until__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="rule_ends_after_it_begins",
                        violation_error_message="The last day must not be before the first.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rehearsal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("conditions", models.JSONField(verbose_name="conditions")),
                ("day", models.DateField(verbose_name="readings up to")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("meets", models.PositiveIntegerField(verbose_name="would meet it")),
                ("met", models.PositiveIntegerField(verbose_name="meet the present version")),
                ("gains", models.PositiveIntegerField(verbose_name="gain")),
                ("loses", models.PositiveIntegerField(verbose_name="lose")),
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
                    "against",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="certification.rule",
                        verbose_name="against the version",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rehearsals",
                        to="certification.rule",
                        verbose_name="draft",
                    ),
                ),
            ],
            options={
                "verbose_name": "rehearsal",
                "verbose_name_plural": "rehearsals",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="NearMiss",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("unread", "not read around the last day, and at the number soon after"),
                            ("close", "close to the number on the last day"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("ended_on", models.DateField(verbose_name="last day")),
                ("best_day", models.DateField(verbose_name="day of the best reading")),
                ("best", models.PositiveIntegerField(verbose_name="best reading of the period")),
                ("after_day", models.DateField(null=True, verbose_name="first reading afterwards")),
                ("after", models.PositiveIntegerField(null=True, verbose_name="followers then")),
                ("found_on", models.DateField(verbose_name="found on")),
                ("closed_at", models.DateTimeField(editable=False, null=True, verbose_name="closed at")),
                (
                    "closing",
                    models.CharField(blank=True, editable=False, max_length=300, verbose_name="what was found"),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="closed by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="near_misses",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="near_misses",
                        to="certification.rule",
                        verbose_name="rule",
                    ),
                ),
            ],
            options={
                "verbose_name": "near miss",
                "verbose_name_plural": "near misses",
                "ordering": ["-ended_on", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rule", "participation"), name="one_near_miss_per_rule_and_participation"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("closed_at", None), models.Q(("closing", ""), _negated=True), _connector="OR"
                        ),
                        name="closed_near_misses_say_what_was_found",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("best_day__lte", models.F("ended_on"))),
                        name="best_reading_is_of_the_period",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="candidate",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="candidates",
                to="certification.rule",
                verbose_name="rule",
            ),
        ),
        migrations.CreateModel(
            name="Work",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100, verbose_name="title")),
                ("address", models.URLField(max_length=300, verbose_name="address")),
                ("published_on", models.DateField(verbose_name="published on")),
                ("noted_at", models.DateTimeField(auto_now_add=True, verbose_name="noted at")),
                ("taken_back_at", models.DateTimeField(editable=False, null=True, verbose_name="taken back at")),
                (
                    "taken_back_why",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="why taken back"),
                ),
                (
                    "noted_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="noted by",
                    ),
                ),
                (
                    "taken_back_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="taken back by",
                    ),
                ),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="works",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "published work",
                "verbose_name_plural": "published works",
                "ordering": ["-published_on", "-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("taken_back_at", None)),
                        fields=("trainee", "address"),
                        name="one_note_per_trainee_and_work",
                        violation_error_message="This work is noted already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("taken_back_at", None),
                            models.Q(("taken_back_by__isnull", False), models.Q(("taken_back_why", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="works_taken_back_say_by_whom_and_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AwardNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("year", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField(default=0)),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="regions.region"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("year", "county"), name="one_count_of_awards_per_year_and_county")
                ],
            },
        ),
        migrations.CreateModel(
            name="Award",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "number",
                    models.CharField(editable=False, max_length=30, unique=True, verbose_name="certificate number"),
                ),
                (
                    "code",
                    models.CharField(
                        default=incubator.certification.models.awards.new_code,
                        editable=False,
                        max_length=20,
                        unique=True,
                        verbose_name="verification code",
                    ),
                ),
                ("awarded_on", models.DateField(verbose_name="awarded on")),
                ("expires_on", models.DateField(editable=False, null=True, verbose_name="valid until")),
                (
                    "holder_name",
                    models.CharField(editable=False, max_length=60, verbose_name="name on the certificate"),
                ),
                (
                    "name_shown_since",
                    models.DateTimeField(editable=False, null=True, verbose_name="name shown to anybody since"),
                ),
                ("evidence", models.JSONField(editable=False, verbose_name="evidence")),
                ("withdrawn_at", models.DateTimeField(editable=False, null=True, verbose_name="withdrawn at")),
                (
                    "withdrawal_reason",
                    models.CharField(blank=True, editable=False, max_length=300, verbose_name="reason of withdrawal"),
                ),
                (
                    "awarded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="awarded by",
                    ),
                ),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="awards",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
                (
                    "withdrawn_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="withdrawn by",
                    ),
                ),
                (
                    "badge",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="awards",
                        to="certification.badge",
                        verbose_name="badge",
                    ),
                ),
                (
                    "candidate",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="award",
                        to="certification.candidate",
                        verbose_name="candidate",
                    ),
                ),
            ],
            options={
                "verbose_name": "award",
                "verbose_name_plural": "awards",
                "ordering": ["-awarded_on", "-pk"],
                "permissions": [("audit_award", "Can take the whole dossier of an award")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)),
                        fields=("badge", "trainee"),
                        name="one_live_award_per_badge_and_trainee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None),
                            models.Q(
                                ("withdrawn_by__isnull", False), models.Q(("withdrawal_reason", ""), _negated=True)
                            ),
                            _connector="OR",
                        ),
                        name="withdrawn_awards_say_by_whom_and_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Flag",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("inflation", "followers leapt, and no traffic explains it"),
                            ("regression", "fell below the number again"),
                            ("reported", "reported by a person"),
                        ],
                        max_length=10,
                        verbose_name="what",
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("change", models.IntegerField(default=0, verbose_name="change of followers")),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("raised_at", models.DateTimeField(auto_now_add=True, verbose_name="raised at")),
                ("cleared_at", models.DateTimeField(editable=False, null=True, verbose_name="cleared at")),
                (
                    "clearance",
                    models.CharField(blank=True, editable=False, max_length=300, verbose_name="why it is cleared"),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="flags",
                        to="metrics.creatoraccount",
                        verbose_name="account",
                    ),
                ),
                (
                    "cleared_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="cleared by",
                    ),
                ),
                (
                    "raised_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="raised by",
                    ),
                ),
            ],
            options={
                "verbose_name": "question about followers",
                "verbose_name_plural": "questions about followers",
                "ordering": ["-day", "-pk"],
                "indexes": [
                    models.Index(condition=models.Q(("cleared_at", None)), fields=["account"], name="flag_open")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "kind", "day"), name="one_flag_per_account_kind_and_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("clearance", ""), ("cleared_at", None)),
                            models.Q(
                                ("cleared_at__isnull", False),
                                ("cleared_by__isnull", False),
                                models.Q(("clearance", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="cleared_flags_say_by_whom_and_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "reported"), _negated=True),
                            models.Q(("raised_by__isnull", False), models.Q(("note", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="reported_flags_say_by_whom_and_what",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RehearsalCounty",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("meets", models.PositiveIntegerField(verbose_name="would meet it")),
                ("met", models.PositiveIntegerField(verbose_name="meet the present version")),
                ("gains", models.PositiveIntegerField(verbose_name="gain")),
                ("loses", models.PositiveIntegerField(verbose_name="lose")),
                (
                    "county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="county",
                    ),
                ),
                (
                    "rehearsal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="counties",
                        to="certification.rehearsal",
                    ),
                ),
            ],
            options={
                "verbose_name": "county of a rehearsal",
                "verbose_name_plural": "counties of rehearsals",
                "ordering": ["county"],
                "constraints": [
                    models.UniqueConstraint(fields=("rehearsal", "county"), name="one_row_per_rehearsal_and_county"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("gains__gt", 0), ("loses__gt", 0), ("meets__gt", 0), ("met__gt", 0), _connector="OR"
                        ),
                        name="counties_of_a_rehearsal_have_somebody",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RehearsalPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gains", models.BooleanField(verbose_name="gains")),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "rehearsal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="people", to="certification.rehearsal"
                    ),
                ),
            ],
            options={
                "verbose_name": "person of a rehearsal",
                "verbose_name_plural": "people of rehearsals",
                "ordering": ["pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("rehearsal", "participation"), name="one_row_per_rehearsal_and_person"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.UniqueConstraint(
                fields=("rule", "participation"), name="one_candidacy_per_rule_and_participation"
            ),
        ),
        migrations.RunSQL(KEEP_RULES, DROP_KEEP_RULES),
        migrations.RunSQL(LOOK_AGAIN, DROP_LOOK_AGAIN),
        migrations.RunSQL(KEEP_AWARDS, DROP_KEEP_AWARDS),
    ]

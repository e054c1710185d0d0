"""Rules become data; candidates are proposed by one person and approved by another; who is to be looked at again."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import incubator.certification.models.rules

FREE_RULES = """
DROP TRIGGER certification_rule_stays ON certification_rule;
DROP FUNCTION certification_rule_stays();
"""
KEEP_RULES_OF_BEFORE = """
CREATE FUNCTION certification_rule_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER certification_rule_stays BEFORE UPDATE OR DELETE ON certification_rule
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL) EXECUTE FUNCTION certification_rule_stays();
"""
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


def followers_to_conditions(apps: Any, schema_editor: Any) -> None:
    """What the two columns said, as a tree: graduated, and that many followers on a day of the support period."""
    for rule in apps.get_model("certification", "Rule").objects.all():
        asked = {"number": rule.followers, "strict": rule.is_strict, "held_days": 1, "when": "support"}
        rule.conditions = {"all": [{"kind": "graduated"}, {"kind": "followers", **asked}]}
        rule.save(update_fields=["conditions"])


def mark_approvals_of_one(apps: Any, schema_editor: Any) -> None:
    """Until now one person approved; nobody else can be named for it afterwards."""
    candidates = apps.get_model("certification", "Candidate").objects
    candidates.filter(state="approved").update(was_decided_alone=True)


class Migration(migrations.Migration):
    dependencies = [
        ("certification", "0003_codes_and_numbers_by_county"),
        ("metrics", "0008_handle_folded"),
        ("programmes", "0003_roster_conditions"),
        ("regions", "0001_initial"),
        ("trainees", "0012_former_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
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
            ],
            options={
                "verbose_name": "event of a candidacy",
                "verbose_name_plural": "events of candidacies",
                "ordering": ["pk"],
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
            ],
            options={
                "verbose_name": "question about followers",
                "verbose_name_plural": "questions about followers",
                "ordering": ["-day", "-pk"],
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
            ],
            options={
                "verbose_name": "near miss",
                "verbose_name_plural": "near misses",
                "ordering": ["-ended_on", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Recheck",
            fields=[
                (
                    "participation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="programmes.participation",
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
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
            ],
            options={
                "verbose_name": "rehearsal",
                "verbose_name_plural": "rehearsals",
                "ordering": ["-pk"],
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
            ],
            options={
                "verbose_name": "county of a rehearsal",
                "verbose_name_plural": "counties of rehearsals",
                "ordering": ["county"],
            },
        ),
        migrations.CreateModel(
            name="RehearsalPerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gains", models.BooleanField(verbose_name="gains")),
            ],
            options={
                "verbose_name": "person of a rehearsal",
                "verbose_name_plural": "people of rehearsals",
                "ordering": ["pk"],
            },
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
            ],
            options={
                "verbose_name": "published work",
                "verbose_name_plural": "published works",
                "ordering": ["-published_on", "-pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="candidate",
            name="decided_candidates_say_by_whom_and_when",
        ),
        migrations.RemoveConstraint(
            model_name="rule",
            name="rule_asks_for_at_least_the_lowest_threshold",
        ),
        migrations.AddField(
            model_name="candidate",
            name="answer",
            field=models.CharField(blank=True, editable=False, max_length=300, verbose_name="answer"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="held_on",
            field=models.DateField(null=True, verbose_name="held long enough on"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="lapsed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="no longer met since"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="proposed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="proposed at"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="proposed_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="proposed by",
            ),
        ),
        migrations.AddField(
            model_name="candidate",
            name="question",
            field=models.CharField(blank=True, editable=False, max_length=300, verbose_name="question"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="remark",
            field=models.CharField(blank=True, editable=False, max_length=300, verbose_name="remark"),
        ),
        migrations.AddField(
            model_name="candidate",
            name="was_decided_alone",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="rule",
            name="conditions",
            field=models.JSONField(
                default=incubator.certification.models.rules.default_conditions, verbose_name="conditions"
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="note",
            field=models.CharField(blank=True, max_length=200, verbose_name="what changed"),
        ),
        migrations.AddField(
            model_name="rule",
            name="published_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="published by",
            ),
        ),
        migrations.AddField(
            model_name="rule",
            name="valid_from",
            field=models.DateField(blank=True, null=True, verbose_name="decides from"),
        ),
        migrations.AddField(
            model_name="rule",
            name="valid_until",
            field=models.DateField(blank=True, null=True, verbose_name="decides until"),
        ),
        migrations.RunSQL(FREE_RULES, KEEP_RULES_OF_BEFORE),
        migrations.RunPython(followers_to_conditions, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="rule",
            name="followers",
        ),
        migrations.RemoveField(
            model_name="rule",
            name="is_strict",
        ),
        migrations.RunSQL(KEEP_RULES, DROP_KEEP_RULES),
        migrations.AlterField(
            model_name="candidate",
            name="account",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="metrics.creatoraccount",
                verbose_name="account",
            ),
        ),
        migrations.AlterField(
            model_name="candidate",
            name="crossed_on",
            field=models.DateField(null=True, verbose_name="reached on"),
        ),
        migrations.AlterField(
            model_name="candidate",
            name="followers",
            field=models.PositiveIntegerField(null=True, verbose_name="followers that day"),
        ),
        migrations.AlterField(
            model_name="candidate",
            name="state",
            field=models.CharField(
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
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("approved", "refused")), _negated=True),
                    models.Q(("decided_at__isnull", False), ("decided_by__isnull", False)),
                    _connector="OR",
                ),
                name="decided_candidates_say_by_whom_and_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "proposed"), _negated=True),
                    models.Q(("proposed_at__isnull", False), ("proposed_by__isnull", False)),
                    _connector="OR",
                ),
                name="proposed_candidates_say_by_whom_and_when",
            ),
        ),
        migrations.RunPython(mark_approvals_of_one, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "approved"), _negated=True),
                    ("was_decided_alone", True),
                    models.Q(
                        ("proposed_by__isnull", False), models.Q(("proposed_by", models.F("decided_by")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="two_people_approve_a_candidate",
                violation_error_message="Who proposed it cannot approve it too.",
            ),
        ),
        migrations.AddConstraint(
            model_name="candidate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account", None), ("crossed_on", None), ("followers", None)),
                    models.Q(("account__isnull", False), ("crossed_on__isnull", False), ("followers__isnull", False)),
                    _connector="OR",
                ),
                name="a_number_has_an_account_and_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_from", None),
                    ("valid_until", None),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="rule_ends_after_it_begins",
                violation_error_message="The last day must not be before the first.",
            ),
        ),
        migrations.AddField(
            model_name="candidateevent",
            name="by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="candidateevent",
            name="candidate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="certification.candidate",
                verbose_name="candidate",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="flags",
                to="metrics.creatoraccount",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="cleared_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="cleared by",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="raised_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="raised by",
            ),
        ),
        migrations.AddField(
            model_name="nearmiss",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="metrics.creatoraccount",
                verbose_name="account",
            ),
        ),
        migrations.AddField(
            model_name="nearmiss",
            name="closed_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="closed by",
            ),
        ),
        migrations.AddField(
            model_name="nearmiss",
            name="participation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="near_misses",
                to="programmes.participation",
                verbose_name="participation",
            ),
        ),
        migrations.AddField(
            model_name="nearmiss",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="near_misses",
                to="certification.rule",
                verbose_name="rule",
            ),
        ),
        migrations.AddField(
            model_name="rehearsal",
            name="against",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="certification.rule",
                verbose_name="against the version",
            ),
        ),
        migrations.AddField(
            model_name="rehearsal",
            name="by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="by",
            ),
        ),
        migrations.AddField(
            model_name="rehearsal",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rehearsals",
                to="certification.rule",
                verbose_name="draft",
            ),
        ),
        migrations.AddField(
            model_name="rehearsalcounty",
            name="county",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="regions.region",
                verbose_name="county",
            ),
        ),
        migrations.AddField(
            model_name="rehearsalcounty",
            name="rehearsal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="counties", to="certification.rehearsal"
            ),
        ),
        migrations.AddField(
            model_name="rehearsalperson",
            name="participation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="programmes.participation",
                verbose_name="participation",
            ),
        ),
        migrations.AddField(
            model_name="rehearsalperson",
            name="rehearsal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="people", to="certification.rehearsal"
            ),
        ),
        migrations.AddField(
            model_name="work",
            name="noted_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="noted by",
            ),
        ),
        migrations.AddField(
            model_name="work",
            name="taken_back_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="taken back by",
            ),
        ),
        migrations.AddField(
            model_name="work",
            name="trainee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="works",
                to="trainees.trainee",
                verbose_name="trainee",
            ),
        ),
        migrations.AddIndex(
            model_name="flag",
            index=models.Index(condition=models.Q(("cleared_at", None)), fields=["account"], name="flag_open"),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                fields=("account", "kind", "day"), name="one_flag_per_account_kind_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
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
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "reported"), _negated=True),
                    models.Q(("raised_by__isnull", False), models.Q(("note", ""), _negated=True)),
                    _connector="OR",
                ),
                name="reported_flags_say_by_whom_and_what",
            ),
        ),
        migrations.AddConstraint(
            model_name="nearmiss",
            constraint=models.UniqueConstraint(
                fields=("rule", "participation"), name="one_near_miss_per_rule_and_participation"
            ),
        ),
        migrations.AddConstraint(
            model_name="nearmiss",
            constraint=models.CheckConstraint(
                condition=models.Q(("closed_at", None), models.Q(("closing", ""), _negated=True), _connector="OR"),
                name="closed_near_misses_say_what_was_found",
            ),
        ),
        migrations.AddConstraint(
            model_name="nearmiss",
            constraint=models.CheckConstraint(
                condition=models.Q(("best_day__lte", models.F("ended_on"))), name="best_reading_is_of_the_period"
            ),
        ),
        migrations.AddConstraint(
            model_name="rehearsalcounty",
            constraint=models.UniqueConstraint(fields=("rehearsal", "county"), name="one_row_per_rehearsal_and_county"),
        ),
        migrations.AddConstraint(
            model_name="rehearsalcounty",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("gains__gt", 0), ("loses__gt", 0), ("meets__gt", 0), ("met__gt", 0), _connector="OR"
                ),
                name="counties_of_a_rehearsal_have_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="rehearsalperson",
            constraint=models.UniqueConstraint(
                fields=("rehearsal", "participation"), name="one_row_per_rehearsal_and_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="work",
            constraint=models.UniqueConstraint(
                condition=models.Q(("taken_back_at", None)),
                fields=("trainee", "address"),
                name="one_note_per_trainee_and_work",
                violation_error_message="This work is noted already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="work",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("taken_back_at", None),
                    models.Q(("taken_back_by__isnull", False), models.Q(("taken_back_why", ""), _negated=True)),
                    _connector="OR",
                ),
                name="works_taken_back_say_by_whom_and_why",
            ),
        ),
        migrations.RunSQL(LOOK_AGAIN, DROP_LOOK_AGAIN),
    ]

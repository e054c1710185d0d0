"""What an award says cannot be changed, who may take its dossier, and the check of every morning."""

from django.db import migrations, models

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
    dependencies = [("certification", "0006_who_answers")]

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
        migrations.AlterModelOptions(
            "award",
            {
                "ordering": ["-awarded_on", "-pk"],
                "permissions": [("audit_award", "Can take the whole dossier of an award")],
                "verbose_name": "award",
                "verbose_name_plural": "awards",
            },
        ),
        migrations.AlterModelOptions(
            "candidate",
            {
                "ordering": ["-crossed_on", "-pk"],
                "permissions": [
                    ("answer_candidate", "Can answer what was asked back about a candidate"),
                    ("explain_candidate", "Can read why somebody has a badge or has not"),
                ],
                "verbose_name": "candidate",
                "verbose_name_plural": "candidates",
            },
        ),
        migrations.RunSQL(KEEP_AWARDS, DROP_KEEP_AWARDS),
    ]

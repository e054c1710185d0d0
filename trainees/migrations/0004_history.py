"""What was changed about people: only ever added to, and no whole ID number or phone in it; the database says so."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

HISTORY_STAYS = """
CREATE FUNCTION trainees_history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of people is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER trainees_history_stays BEFORE UPDATE OR DELETE ON trainees_traineechange
    FOR EACH ROW EXECUTE FUNCTION trainees_history_stays();
"""
HISTORY_GOES = "DROP TRIGGER trainees_history_stays ON trainees_traineechange; DROP FUNCTION trainees_history_stays();"
# A mask shows six digits in a row at most: the beginning of an ID number.
MASKED = r"""
ALTER TABLE trainees_traineechange ADD CONSTRAINT history_holds_no_whole_number
    CHECK (coalesce(fields ->> 'id_number', '') || coalesce(fields ->> 'phone', '') !~ '[0-9]{7}')
"""
UNMASKED = "ALTER TABLE trainees_traineechange DROP CONSTRAINT history_holds_no_whole_number"


class Migration(migrations.Migration):
    dependencies = [
        ("trainees", "0003_initials"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TraineeChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("entered", "entered"),
                            ("edited", "edited by hand"),
                            ("imported", "changed by a roster"),
                            ("undone", "roster taken back"),
                            ("merged", "merged with another person"),
                            ("separated", "merge taken back"),
                        ],
                        max_length=10,
                        verbose_name="what happened",
                    ),
                ),
                ("fields", models.JSONField(db_default={}, default=dict, verbose_name="fields")),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="at")),
                ("why", models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="why")),
                (
                    "origin",
                    models.CharField(blank=True, db_default="", default="", max_length=80, verbose_name="came from"),
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
                (
                    "trainee",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="changes",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a person",
                "verbose_name_plural": "changes of people",
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["trainee", "-id"], name="change_trainee_newest")],
            },
        ),
        migrations.RunSQL(HISTORY_STAYS, HISTORY_GOES),
        migrations.RunSQL(MASKED, UNMASKED),
    ]

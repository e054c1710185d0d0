"""The tables as 0001 to 0012 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption

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
    replaces = [
        ("trainees", "0001_initial"),
        ("trainees", "0002_number_sequence"),
        ("trainees", "0003_initials"),
        ("trainees", "0004_bind_personal_data"),
        ("trainees", "0005_index_key"),
        ("trainees", "0006_reveal_permission"),
        ("trainees", "0007_history"),
        ("trainees", "0008_surnames"),
        ("trainees", "0009_lists_in_order"),
        ("trainees", "0010_born_and_named"),
        ("trainees", "0011_may_export_personal_data"),
        ("trainees", "0012_former_numbers"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("regions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="IndexKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fingerprint", models.CharField(max_length=64)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="people_are_found_by_one_key")
                ],
            },
        ),
        migrations.CreateModel(
            name="Trainee",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(editable=False, max_length=20, unique=True, verbose_name="trainee number")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("initials", models.CharField(blank=True, editable=False, max_length=20, verbose_name="initials")),
                (
                    "sex",
                    models.CharField(
                        blank=True, choices=[("male", "male"), ("female", "female")], max_length=10, verbose_name="sex"
                    ),
                ),
                ("born_on", models.DateField(blank=True, null=True, verbose_name="date of birth")),
                ("township", models.CharField(blank=True, max_length=60, verbose_name="township")),
                (
                    "background",
                    models.CharField(
                        choices=[
                            ("founder", "rural founder"),
                            ("graduate", "returning graduate"),
                            ("recorder", "recorder of village life"),
                            ("cadre", "village cadre"),
                            ("other", "other"),
                        ],
                        default="other",
                        max_length=10,
                        verbose_name="background",
                    ),
                ),
                ("education", models.CharField(blank=True, max_length=30, verbose_name="education")),
                (
                    "id_number",
                    incubator.common.encryption.EncryptedTextField(bound=True, null=True, verbose_name="ID number"),
                ),
                ("id_number_index", models.BinaryField(max_length=32, null=True)),
                ("phone", incubator.common.encryption.EncryptedTextField(bound=True, null=True, verbose_name="phone")),
                ("phone_index", models.BinaryField(max_length=32, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="entered at")),
                (
                    "county",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="trainees",
                        to="regions.region",
                        verbose_name="county",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="trainee",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="login",
                    ),
                ),
            ],
            options={
                "verbose_name": "trainee",
                "verbose_name_plural": "trainees",
                "ordering": ["number"],
                "permissions": [
                    ("reveal_personal_data", "May have ID numbers and phones shown in full"),
                    ("export_personal_data", "Can export personal data in full"),
                ],
                "indexes": [
                    models.Index(fields=["phone_index"], name="trainee_phone"),
                    models.Index(
                        fields=["name", "id"], name="trainee_name", opclasses=["varchar_pattern_ops", "int8_ops"]
                    ),
                    models.Index(
                        fields=["initials", "id"],
                        name="trainee_initials",
                        opclasses=["varchar_pattern_ops", "int8_ops"],
                    ),
                    models.Index(fields=["county", "id"], name="trainee_county"),
                    models.Index(fields=["background", "id"], name="trainee_background"),
                    models.Index(fields=["sex", "id"], name="trainee_sex"),
                    models.Index(fields=["created_at", "id"], name="trainee_entered"),
                    models.Index(fields=["born_on", "name"], name="trainee_born_name"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("id_number_index__isnull", False)),
                        fields=("id_number_index",),
                        name="one_trainee_per_person",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="trainee number")),
                ("former_id", models.BigIntegerField(unique=True)),
                (
                    "trainee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_numbers",
                        to="trainees.trainee",
                        verbose_name="trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "former number",
                "verbose_name_plural": "former numbers",
            },
        ),
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
        migrations.RunSQL("CREATE SEQUENCE trainees_trainee_number", "DROP SEQUENCE trainees_trainee_number"),
        migrations.RunSQL(HISTORY_STAYS, HISTORY_GOES),
        migrations.RunSQL(MASKED, UNMASKED),
    ]

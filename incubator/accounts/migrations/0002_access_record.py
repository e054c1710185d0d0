"""Who saw or took personal data: only ever added to; the database says so, not only the services."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RECORDS_STAY = """
CREATE FUNCTION accounts_access_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'access records are never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER accounts_access_stays BEFORE UPDATE OR DELETE ON accounts_accessrecord
    FOR EACH ROW EXECUTE FUNCTION accounts_access_stays();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="AccessRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("reveal", "shown in full"), ("export", "exported")],
                        max_length=10,
                        verbose_name="what was done",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                (
                    "what",
                    models.CharField(
                        help_text="The model, such as trainees.trainee.", max_length=60, verbose_name="of what"
                    ),
                ),
                (
                    "row",
                    models.CharField(
                        blank=True, help_text="Its primary key, when it was one row.", max_length=40, verbose_name="row"
                    ),
                ),
                ("fields", models.JSONField(default=list, verbose_name="fields")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="rows")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="who",
                    ),
                ),
            ],
            options={
                "verbose_name": "access to personal data",
                "verbose_name_plural": "accesses to personal data",
                "ordering": ["-pk"],
                "indexes": [models.Index(fields=["what", "row"], name="access_what_row")],
            },
        ),
        migrations.RunSQL(
            RECORDS_STAY,
            "DROP TRIGGER accounts_access_stays ON accounts_accessrecord; DROP FUNCTION accounts_access_stays();",
        ),
    ]

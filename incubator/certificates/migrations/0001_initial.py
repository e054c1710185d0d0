"""Seals, editions of certificates that stay as they were printed, and ceremonies."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

EDITIONS_STAY = """
CREATE FUNCTION certificates_editions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seal_id IS NULL AND NEW.seal_id IS NOT NULL THEN
        OLD.seal_id := NEW.seal_id;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'editions of certificates are never changed or deleted'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER certificates_editions_stay BEFORE UPDATE OR DELETE ON certificates_edition
    FOR EACH ROW EXECUTE FUNCTION certificates_editions_stay();
"""
EDITIONS_GO = (
    "DROP TRIGGER certificates_editions_stay ON certificates_edition; DROP FUNCTION certificates_editions_stay();"
)


class Migration(migrations.Migration):
    initial = True
    dependencies = [
        ("certification", "0003_codes_and_numbers_by_county"),
        ("jobs", "0004_results_end"),
        ("programmes", "0003_roster_conditions"),
        ("regions", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Ceremony",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, verbose_name="name")),
                ("held_on", models.DateField(verbose_name="held on")),
                ("place", models.CharField(blank=True, max_length=100, verbose_name="place")),
                (
                    "order",
                    models.CharField(
                        choices=[
                            ("county", "by county, then by name"),
                            ("name", "by name"),
                            ("number", "by certificate number"),
                        ],
                        default="county",
                        max_length=10,
                        verbose_name="order of the certificates",
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="entered at")),
                (
                    "job",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="jobs.job",
                        verbose_name="background work",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="entered by",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        blank=True,
                        help_text="Only awards of people of this region can be added. Empty: the whole country.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "ceremony",
                "verbose_name_plural": "ceremonies",
                "ordering": ["-held_on", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="CeremonyPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                (
                    "added_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "award",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ceremony_places",
                        to="certification.award",
                    ),
                ),
                (
                    "ceremony",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="places", to="certificates.ceremony"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="ceremony",
            name="awards",
            field=models.ManyToManyField(
                related_name="ceremonies",
                through="certificates.CeremonyPlace",
                to="certification.award",
                verbose_name="awards",
            ),
        ),
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "issuer",
                    models.CharField(
                        help_text="Stands above the date, below the seal: the organisation's name.",
                        max_length=60,
                        verbose_name="signed by",
                    ),
                ),
                ("image", models.FileField(upload_to="seals/%Y/", verbose_name="picture of the seal")),
                ("width", models.PositiveSmallIntegerField(editable=False, verbose_name="width in pixels")),
                ("height", models.PositiveSmallIntegerField(editable=False, verbose_name="height in pixels")),
                ("put_at", models.DateTimeField(auto_now_add=True, verbose_name="in use since")),
                (
                    "programme",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="seals",
                        to="programmes.programme",
                        verbose_name="programme",
                    ),
                ),
                (
                    "put_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="put in use by",
                    ),
                ),
            ],
            options={
                "verbose_name": "seal",
                "verbose_name_plural": "seals",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(verbose_name="edition")),
                ("holder_name", models.CharField(max_length=60, verbose_name="name on the certificate")),
                ("name_before", models.CharField(blank=True, max_length=60, verbose_name="name before")),
                ("words", models.JSONField(editable=False)),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "award",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="editions",
                        to="certification.award",
                        verbose_name="award",
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
                    "seal",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="editions",
                        to="certificates.seal",
                        verbose_name="seal",
                    ),
                ),
            ],
            options={
                "verbose_name": "edition of a certificate",
                "verbose_name_plural": "editions of certificates",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="ceremonyplace",
            constraint=models.UniqueConstraint(fields=("ceremony", "award"), name="one_place_per_ceremony_and_award"),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.UniqueConstraint(fields=("award", "number"), name="one_edition_of_a_number_per_award"),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("name_before", ""), ("number", 1), ("reason", "")),
                    models.Q(
                        ("number__gt", 1),
                        models.Q(("reason", ""), _negated=True),
                        models.Q(("name_before", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="later_editions_say_why_and_what_was_before",
            ),
        ),
        migrations.RunSQL(EDITIONS_STAY, EDITIONS_GO),
    ]

"""Awards get a code that cannot be guessed, the name as printed, and an end; numbers are counted by year and county."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import incubator.certification.models.awards


def give_codes_and_names(apps: Any, schema_editor: Any) -> None:
    """Awards from before: the name is the person's of today; nobody was told another."""
    award_model = apps.get_model("certification", "Award")
    for award in award_model.objects.select_related("trainee").iterator():
        award.code = incubator.certification.models.awards.new_code()
        award.holder_name = award.trainee.name
        award.save(update_fields=["code", "holder_name"])


class Migration(migrations.Migration):
    dependencies = [("certification", "0002_number_sequence"), ("regions", "0001_initial")]

    operations = [
        migrations.AddField("badge", "level", models.PositiveSmallIntegerField(default=1, verbose_name="level")),
        migrations.AddField(
            "badge",
            "valid_days",
            models.PositiveIntegerField(
                blank=True, help_text="Empty: an award does not expire.", null=True, verbose_name="valid for days"
            ),
        ),
        migrations.AlterModelOptions(
            "badge", {"ordering": ["level", "code"], "verbose_name": "badge", "verbose_name_plural": "badges"}
        ),
        migrations.AddConstraint(
            "badge",
            models.CheckConstraint(
                condition=models.Q(("valid_days", None), ("valid_days__gte", 1), _connector="OR"),
                name="badge_is_valid_for_a_day_or_more",
            ),
        ),
        migrations.AddField(
            "award",
            "code",
            models.CharField(editable=False, max_length=20, null=True, verbose_name="verification code"),
        ),
        migrations.AddField(
            "award", "expires_on", models.DateField(editable=False, null=True, verbose_name="valid until")
        ),
        migrations.AddField(
            "award",
            "holder_name",
            models.CharField(default="", editable=False, max_length=60, verbose_name="name on the certificate"),
            preserve_default=False,
        ),
        migrations.AddField(
            "award",
            "name_shown_since",
            models.DateTimeField(editable=False, null=True, verbose_name="name shown to anybody since"),
        ),
        migrations.RunPython(give_codes_and_names, migrations.RunPython.noop),
        migrations.AlterField(
            "award",
            "code",
            models.CharField(
                default=incubator.certification.models.awards.new_code,
                editable=False,
                max_length=20,
                unique=True,
                verbose_name="verification code",
            ),
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
                ]
            },
        ),
        migrations.RunSQL("DROP SEQUENCE certification_award_number", "CREATE SEQUENCE certification_award_number"),
    ]

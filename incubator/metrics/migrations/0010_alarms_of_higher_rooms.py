"""Two more kinds of alarms, both told by certification: people nobody found, and awards without evidence."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("metrics", "0009_peak")]

    operations = [
        migrations.AlterField(
            "alarm",
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
        )
    ]

"""People of a cohort or state come from an index in the order of their list; it serves the key of the cohort too."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("programmes", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="participation",
            name="trainee",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="participations",
                to="trainees.trainee",
                verbose_name="trainee",
            ),
        ),
        migrations.AlterField(
            model_name="participation",
            name="cohort",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="participations",
                to="programmes.cohort",
                verbose_name="cohort",
            ),
        ),
        migrations.AlterField(
            model_name="participation",
            name="state",
            field=models.CharField(
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
        migrations.AddIndex(
            model_name="participation",
            index=models.Index(fields=["cohort", "trainee"], include=("state",), name="participation_cohort"),
        ),
        migrations.AddIndex(
            model_name="participation",
            index=models.Index(fields=["state", "trainee"], include=("cohort",), name="participation_state"),
        ),
    ]

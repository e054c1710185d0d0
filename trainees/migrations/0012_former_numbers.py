"""Numbers that people had before they turned out to be other trainees."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trainees", "0011_may_export_personal_data")]

    operations = [
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
            options={"verbose_name": "former number", "verbose_name_plural": "former numbers"},
        ),
    ]

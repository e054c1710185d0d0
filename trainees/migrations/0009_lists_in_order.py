"""A filtered list of people is the end of an index, in the order of entry. The key of the county is one of them now."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("regions", "0001_initial"),
        ("trainees", "0008_surnames"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="trainee",
            name="trainee_county_number",
        ),
        migrations.AlterField(
            model_name="trainee",
            name="county",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="trainees",
                to="regions.region",
                verbose_name="county",
            ),
        ),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(fields=["county", "id"], name="trainee_county"),
        ),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(fields=["background", "id"], name="trainee_background"),
        ),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(fields=["sex", "id"], name="trainee_sex"),
        ),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(fields=["created_at", "id"], name="trainee_entered"),
        ),
        migrations.RemoveIndex(model_name="trainee", name="trainee_name"),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(
                fields=["name", "id"], name="trainee_name", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ),
        migrations.RemoveIndex(model_name="trainee", name="trainee_initials"),
        migrations.AddIndex(
            model_name="trainee",
            index=models.Index(
                fields=["initials", "id"], name="trainee_initials", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ),
    ]

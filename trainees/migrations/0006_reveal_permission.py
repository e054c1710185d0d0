"""A permission to have ID numbers and phones shown in full."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("trainees", "0005_index_key")]

    operations = [
        migrations.AlterModelOptions(
            name="trainee",
            options={
                "ordering": ["number"],
                "permissions": [("reveal_personal_data", "May have ID numbers and phones shown in full")],
                "verbose_name": "trainee",
                "verbose_name_plural": "trainees",
            },
        ),
    ]

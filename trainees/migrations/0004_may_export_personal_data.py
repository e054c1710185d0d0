"""The permission to export ID numbers, phones and days of birth in full."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("trainees", "0003_initials"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="trainee",
            options={
                "ordering": ["number"],
                "permissions": [("export_personal_data", "Can export personal data in full")],
                "verbose_name": "trainee",
                "verbose_name_plural": "trainees",
            },
        ),
    ]

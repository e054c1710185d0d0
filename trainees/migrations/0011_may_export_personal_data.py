"""The permission to export ID numbers, phones and days of birth in full."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("trainees", "0010_born_and_named"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="trainee",
            options={
                "ordering": ["number"],
                "permissions": [
                    ("reveal_personal_data", "May have ID numbers and phones shown in full"),
                    ("export_personal_data", "Can export personal data in full"),
                ],
                "verbose_name": "trainee",
                "verbose_name_plural": "trainees",
            },
        ),
    ]

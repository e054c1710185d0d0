"""Days of which readings were written after they had been evaluated."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0004_rules_as_data")]

    operations = [
        migrations.CreateModel(
            name="RecheckDay",
            fields=[("day", models.DateField(primary_key=True, serialize=False))],
        ),
    ]

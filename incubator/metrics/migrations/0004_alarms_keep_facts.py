from django.db import migrations, models


class Migration(migrations.Migration):
    """No alarm was ever written before this, so the sentence that is dropped holds nothing."""

    dependencies = [("metrics", "0003_readings_by_month")]

    operations = [
        migrations.RemoveField(model_name="alarm", name="sentence"),
        migrations.AddField(model_name="alarm", name="facts", field=models.JSONField(default=dict, editable=False)),
        migrations.CreateModel(
            name="FreshnessCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("checked_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "check of freshness",
                "verbose_name_plural": "checks of freshness",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="one_row_tells_when_freshness_was_checked"
                    )
                ],
            },
        ),
    ]

"""Who may answer what was asked back about a candidate: the county, which decides nothing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("certification", "0005_days_written_late")]

    operations = [
        migrations.AlterModelOptions(
            name="candidate",
            options={
                "ordering": ["-crossed_on", "-pk"],
                "permissions": [("answer_candidate", "Can answer what was asked back about a candidate")],
                "verbose_name": "candidate",
                "verbose_name_plural": "candidates",
            },
        ),
    ]

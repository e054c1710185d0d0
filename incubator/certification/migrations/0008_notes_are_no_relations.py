"""Who is to be looked at again is noted by number: what hangs on a participation is moved when people are merged."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certification", "0007_awards_stay_as_given")]

    operations = [
        migrations.DeleteModel("Recheck"),
        migrations.CreateModel(
            name="Recheck",
            fields=[
                ("participation_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
            ],
        ),
    ]

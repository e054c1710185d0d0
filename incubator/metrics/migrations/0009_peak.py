"""The most followers of an account, so that who never had a number need not be looked for in all readings."""

from django.db import migrations, models

FILL = """
UPDATE metrics_latestreading latest SET peak = greatest(latest.followers, (
    SELECT max(followers) FROM metrics_reading reading
    WHERE reading.account_id = latest.account_id AND reading.followers >= 10000
))
"""


class Migration(migrations.Migration):
    dependencies = [("metrics", "0008_handle_folded")]

    operations = [
        migrations.AddField("latestreading", "peak", models.PositiveIntegerField(default=0)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]

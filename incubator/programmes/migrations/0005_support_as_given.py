"""The end as it was given of every support period there is: nothing could move one before."""

from django.db import migrations

NOTE_WHAT_WAS_GIVEN = """
UPDATE programmes_participation SET support_base_ends_on = support_ends_on
WHERE support_ends_on IS NOT NULL AND support_base_ends_on IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("programmes", "0004_support_changes")]

    operations = [migrations.RunSQL(NOTE_WHAT_WAS_GIVEN, migrations.RunSQL.noop)]

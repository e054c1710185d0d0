"""Imports that an earlier version checked have rows without columns: they are to be checked again before they are written."""

from django.conf import settings
from django.db import migrations
from django.utils.translation import gettext, override


def check_again(apps, schema_editor):
    with override(settings.LANGUAGE_CODE):
        sentence = gettext("An earlier version of this program checked this workbook. Check it again.")
    waiting = apps.get_model("rosters", "RosterImport").objects.filter(state__in=("uploaded", "checked"))
    apps.get_model("rosters", "RosterRow").objects.filter(roster__in=waiting).delete()
    waiting.filter(state="checked").update(state="failed", error=sentence)


class Migration(migrations.Migration):
    dependencies = [("rosters", "0003_rows_in_columns")]

    operations = [migrations.RunPython(check_again, migrations.RunPython.noop)]

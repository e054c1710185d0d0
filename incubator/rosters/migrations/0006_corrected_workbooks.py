"""An import may bring the corrected workbook of an earlier one."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("rosters", "0005_sheet_and_columns")]

    operations = [
        migrations.AddField(
            model_name="rosterimport",
            name="corrects",
            field=models.ForeignKey(
                editable=False,
                help_text="The import whose workbook this one is, with its findings seen to.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="corrected_by",
                to="rosters.rosterimport",
                verbose_name="corrects",
            ),
        ),
    ]

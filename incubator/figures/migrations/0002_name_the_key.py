"""What the first method sealed is sealed by the present one, which names its key: staged rows and uploaded workbooks."""

from django.db import migrations

from incubator.common.resealing import SealedColumn, SealedFiles, reseal, reseal_files, unseal_earlier


def name_the_key(apps, schema_editor):
    for _batch in reseal(SealedColumn("figures_figuresrow", "values", row=None), every=True, reopen=unseal_earlier):
        pass
    for _file in reseal_files(SealedFiles("figures_figuresimport", "file"), reopen=unseal_earlier):
        pass


class Migration(migrations.Migration):
    atomic = False  # what was sealed stays sealed when the rest is interrupted; run again, it goes on
    dependencies = [("figures", "0001_initial")]

    operations = [migrations.RunPython(name_the_key, migrations.RunPython.noop)]

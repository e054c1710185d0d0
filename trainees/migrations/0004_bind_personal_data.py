"""ID numbers and phones are bound to their row; those that are there are sealed anew, a batch at a time."""

from django.db import migrations

import incubator.common.encryption
from incubator.common.resealing import SealedColumn, reseal, unseal_earlier


def bind(apps, schema_editor):
    for name in ("id_number", "phone"):
        for _batch in reseal(SealedColumn("trainees_trainee", name), every=True, reopen=unseal_earlier):
            pass


class Migration(migrations.Migration):
    atomic = False  # what was sealed stays sealed when the rest is interrupted; run again, it goes on
    dependencies = [("trainees", "0003_initials")]

    operations = [
        migrations.AlterField(
            model_name="trainee",
            name="id_number",
            field=incubator.common.encryption.EncryptedTextField(bound=True, null=True, verbose_name="ID number"),
        ),
        migrations.AlterField(
            model_name="trainee",
            name="phone",
            field=incubator.common.encryption.EncryptedTextField(bound=True, null=True, verbose_name="phone"),
        ),
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]

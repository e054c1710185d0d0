"""Tokens are bound to their account; those that are there are sealed anew, a batch at a time."""

from django.db import migrations

import incubator.common.encryption
from incubator.common.resealing import SealedColumn, reseal, unseal_earlier


def bind(apps, schema_editor):
    for name in ("access_token", "refresh_token"):
        column = SealedColumn("metrics_authorisation", name, key="account_id", row="account_id")
        for _batch in reseal(column, every=True, reopen=unseal_earlier):
            pass


class Migration(migrations.Migration):
    atomic = False  # what was sealed stays sealed when the rest is interrupted; run again, it goes on
    dependencies = [("metrics", "0006_unusable_answers")]

    operations = [
        migrations.AlterField(
            model_name="authorisation",
            name="access_token",
            field=incubator.common.encryption.EncryptedTextField(bound=True),
        ),
        migrations.AlterField(
            model_name="authorisation",
            name="refresh_token",
            field=incubator.common.encryption.EncryptedTextField(bound=True),
        ),
        migrations.RunPython(bind, migrations.RunPython.noop),
    ]

"""Handles are looked up by their beginning, in upper or lower case, and people by the state of their accounts."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("metrics", "0007_bind_tokens")]

    operations = [
        migrations.AlterField(
            model_name="creatoraccount",
            name="state",
            field=models.CharField(
                choices=[
                    ("unlinked", "not connected"),
                    ("linked", "connected"),
                    ("needs_consent", "needs consent again"),
                    ("withdrawn", "consent withdrawn"),
                    ("gone", "not found on the platform"),
                ],
                default="unlinked",
                editable=False,
                max_length=15,
                verbose_name="state",
            ),
        ),
        migrations.AddIndex(
            model_name="creatoraccount",
            index=models.Index(fields=["state", "trainee"], name="account_state"),
        ),
        migrations.AddIndex(
            model_name="creatoraccount",
            index=models.Index(OpClass(Lower("handle"), name="text_pattern_ops"), name="account_handle_folded"),
        ),
    ]

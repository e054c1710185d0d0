"""Handles are looked up by their beginning, in upper or lower case."""

from django.contrib.postgres.indexes import OpClass
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("metrics", "0007_bind_tokens")]

    operations = [
        migrations.AddIndex(
            model_name="creatoraccount",
            index=models.Index(OpClass(Lower("handle"), name="text_pattern_ops"), name="account_handle_folded"),
        ),
    ]

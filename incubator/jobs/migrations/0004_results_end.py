"""Result files that are cleared away after a time."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0003_seal_results"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="result_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="file is kept until"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                fields=["result_until"], condition=Q(("result_until__isnull", False)), name="job_result_until"
            ),
        ),
    ]

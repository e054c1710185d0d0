"""The tables as 0001 to 0004 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("jobs", "0001_initial"),
        ("jobs", "0002_not_before"),
        ("jobs", "0003_seal_results"),
        ("jobs", "0004_results_end"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
    ]

    operations = [
        migrations.CreateModel(
            name="Job",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60, verbose_name="kind")),
                ("key", models.CharField(max_length=200, verbose_name="key")),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="what")),
                ("arguments", models.JSONField(default=dict, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0, editable=False, verbose_name="done")),
                ("total", models.PositiveIntegerField(default=0, editable=False, verbose_name="of")),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False, verbose_name="attempts")),
                ("max_attempts", models.PositiveSmallIntegerField(default=5, editable=False)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("lease_owner", models.UUIDField(editable=False, null=True)),
                ("resend_at", models.DateTimeField(editable=False, null=True)),
                ("not_before", models.DateTimeField(editable=False, null=True)),
                ("is_cancel_asked", models.BooleanField(default=False, editable=False)),
                ("error", models.TextField(blank=True, editable=False, verbose_name="error")),
                ("result", models.JSONField(default=dict, editable=False, verbose_name="result")),
                (
                    "result_file",
                    models.FileField(blank=True, editable=False, upload_to="results/%Y/%m/", verbose_name="file"),
                ),
                (
                    "result_name",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="name of the file"),
                ),
                ("result_until", models.DateTimeField(editable=False, null=True, verbose_name="file is kept until")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="asked at")),
                ("started_at", models.DateTimeField(editable=False, null=True, verbose_name="started at")),
                ("finished_at", models.DateTimeField(editable=False, null=True, verbose_name="finished at")),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
            ],
            options={
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=["state", "lease_until"],
                        name="job_live",
                    ),
                    models.Index(
                        condition=models.Q(("result_until__isnull", False)),
                        fields=["result_until"],
                        name="job_result_until",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=("kind", "key"),
                        name="one_live_job_per_kind_and_key",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("total", 0), ("done__lte", models.F("total")), _connector="OR"),
                        name="job_does_no_more_than_all",
                    ),
                ],
            },
        ),
    ]

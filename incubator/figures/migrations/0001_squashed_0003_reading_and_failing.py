"""The tables as 0001 to 0003 left them, made at once: a new database is ready in less than half the time."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption


class Migration(migrations.Migration):
    replaces = [
        ("figures", "0001_initial"),
        ("figures", "0002_name_the_key"),
        ("figures", "0003_reading_and_failing"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("jobs", "0001_squashed_0004_results_end"),
        ("metrics", "0001_squashed_0010_alarms_of_higher_rooms"),
        ("regions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiguresImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_name", models.CharField(editable=False, max_length=200, verbose_name="file")),
                ("sha256", models.CharField(editable=False, max_length=64, verbose_name="SHA-256")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "uploaded"),
                            ("reading", "being read"),
                            ("checked", "to be confirmed"),
                            ("in_review", "in review"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                            ("applied", "applied"),
                            ("discarded", "discarded"),
                            ("undone", "undone"),
                        ],
                        db_index=True,
                        default="uploaded",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("error", models.TextField(blank=True, editable=False, verbose_name="why refused")),
                (
                    "title",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="title of the sheet"),
                ),
                (
                    "filled_by",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="filled in by"),
                ),
                ("wrong_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="wrong")),
                ("skipped_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="skipped")),
                ("uploaded_at", models.DateTimeField(auto_now_add=True, verbose_name="uploaded at")),
                ("applied_at", models.DateTimeField(editable=False, null=True, verbose_name="confirmed at")),
                (
                    "day",
                    models.DateField(
                        blank=True,
                        help_text="For rows without a date, when the sheet does not name the day above its header.",
                        null=True,
                        verbose_name="day of the figures",
                    ),
                ),
                ("file", models.FileField(upload_to="figures/%Y/%m/", verbose_name="workbook")),
                ("new_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="new")),
                (
                    "corrected_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="corrects an earlier file"),
                ),
                (
                    "doubtful_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="will be held back"),
                ),
                (
                    "held_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="held back already"),
                ),
                ("same_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="known already")),
                (
                    "kept_count",
                    models.PositiveIntegerField(default=0, editable=False, verbose_name="kept, not overwritten"),
                ),
                ("written_count", models.PositiveIntegerField(editable=False, null=True, verbose_name="written")),
                ("quarantined_count", models.PositiveIntegerField(editable=False, null=True, verbose_name="held back")),
                (
                    "applied_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="jobs.job",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        help_text="Only accounts of people of this region are taken from the workbook.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "figures import",
                "verbose_name_plural": "figures imports",
                "ordering": ["-pk"],
                "abstract": False,
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("refused", "failed")), _negated=True),
                            models.Q(("error", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="refused_figures_say_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "applied"), _negated=True),
                            models.Q(("applied_by__isnull", False), ("wrong_count", 0)),
                            _connector="OR",
                        ),
                        name="applied_figures_have_no_wrong_row",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FiguresFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField(verbose_name="row")),
                ("column", models.CharField(blank=True, max_length=60, verbose_name="column")),
                ("value", models.CharField(blank=True, max_length=100, verbose_name="value")),
                ("sentence", models.CharField(max_length=300, verbose_name="what to do")),
                ("is_error", models.BooleanField(default=True)),
                (
                    "figures",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="findings", to="figures.figuresimport"
                    ),
                ),
            ],
            options={
                "verbose_name": "finding",
                "verbose_name_plural": "findings",
                "ordering": ["-is_error", "row", "pk"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="FiguresRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="row")),
                ("values", incubator.common.encryption.EncryptedTextField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("corrected", "corrects an earlier file"),
                            ("doubtful", "will be held back"),
                            ("held", "held back already"),
                            ("same", "known already"),
                            ("kept", "kept, not overwritten"),
                            ("wrong", "wrong"),
                        ],
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="metrics.creatoraccount",
                    ),
                ),
                (
                    "figures",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="figures.figuresimport"
                    ),
                ),
            ],
            options={
                "verbose_name": "figures row",
                "verbose_name_plural": "figures rows",
                "ordering": ["number"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("figures", "number"), name="one_row_per_figures_and_number")
                ],
            },
        ),
    ]

"""The tables as 0001 to 0006 left them, made at once: a new database is ready in less than half the time."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption


class Migration(migrations.Migration):
    replaces = [
        ("rosters", "0001_initial"),
        ("rosters", "0002_name_the_key"),
        ("rosters", "0003_rows_in_columns"),
        ("rosters", "0004_check_again"),
        ("rosters", "0005_sheet_and_columns"),
        ("rosters", "0006_corrected_workbooks"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("jobs", "0001_squashed_0004_results_end"),
        ("programmes", "0001_squashed_0005_support_as_given"),
        ("regions", "0001_initial"),
        ("trainees", "0001_squashed_0012_former_numbers"),
    ]

    operations = [
        migrations.CreateModel(
            name="RosterImport",
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
                ("file", models.FileField(upload_to="rosters/%Y/%m/", verbose_name="workbook")),
                ("new_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="new")),
                ("matched_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="known already")),
                ("changed_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="to be changed")),
                ("doubtful_count", models.PositiveIntegerField(default=0, editable=False, verbose_name="doubtful")),
                ("checked_on", models.DateField(editable=False, null=True, verbose_name="checked on")),
                ("conditions", models.JSONField(default=dict, editable=False)),
                ("headers", models.JSONField(default=dict, editable=False)),
                (
                    "is_partial",
                    models.BooleanField(default=False, editable=False, verbose_name="without its wrong rows"),
                ),
                ("undone_at", models.DateTimeField(editable=False, null=True, verbose_name="undone at")),
                ("sheet", models.CharField(blank=True, editable=False, max_length=100, verbose_name="sheet")),
                ("outline", models.JSONField(default=dict, editable=False)),
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
                    "checked_by",
                    models.ForeignKey(
                        editable=False,
                        help_text="Whose region the people were looked up in.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="checked for",
                    ),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rosters",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
                (
                    "corrects",
                    models.ForeignKey(
                        editable=False,
                        help_text="The import whose workbook this one is, with its findings seen to.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="corrected_by",
                        to="rosters.rosterimport",
                        verbose_name="corrects",
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
                        help_text="Only people of this region are taken from the workbook.",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="undone by",
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
                "verbose_name": "roster import",
                "verbose_name_plural": "roster imports",
                "ordering": ["-pk"],
                "abstract": False,
                "indexes": [models.Index(fields=["sha256"], name="roster_sha256")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("refused", "failed")), _negated=True),
                            models.Q(("error", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="refused_rosters_say_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("applied", "undone")), _negated=True),
                            ("applied_by__isnull", False),
                            _connector="OR",
                        ),
                        name="applied_rosters_say_who_applied_them",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "applied"), _negated=True),
                            ("wrong_count", 0),
                            ("is_partial", True),
                            _connector="OR",
                        ),
                        name="rosters_with_wrong_rows_are_applied_by_choice",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "undone"), _negated=True),
                            models.Q(("undone_at__isnull", False), ("undone_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="undone_rosters_say_who_and_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField(verbose_name="row")),
                ("column", models.CharField(blank=True, max_length=60, verbose_name="column")),
                ("value", models.CharField(blank=True, max_length=100, verbose_name="value")),
                ("sentence", models.CharField(max_length=300, verbose_name="what to do")),
                ("is_error", models.BooleanField(default=True)),
                ("is_of_matching", models.BooleanField(default=False)),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="rosters.rosterimport",
                    ),
                ),
            ],
            options={
                "verbose_name": "finding",
                "verbose_name_plural": "findings",
                "ordering": ["-is_error", "row", "pk"],
                "abstract": False,
                "indexes": [models.Index(fields=["roster", "row"], name="roster_finding_row")],
            },
        ),
        migrations.CreateModel(
            name="RosterCorrection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="row")),
                ("cells", incubator.common.encryption.EncryptedTextField(null=True)),
                ("left_out", models.CharField(blank=True, max_length=200, verbose_name="why left out")),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("same", "the same person"), ("other", "another person")],
                        max_length=10,
                        verbose_name="decision",
                    ),
                ),
                ("decided_about", models.BigIntegerField(null=True)),
                ("at", models.DateTimeField(auto_now=True, verbose_name="at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="corrections",
                        to="rosters.rosterimport",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction of a roster row",
                "verbose_name_plural": "corrections of roster rows",
                "constraints": [
                    models.UniqueConstraint(fields=("roster", "number"), name="one_correction_per_roster_and_row")
                ],
            },
        ),
        migrations.CreateModel(
            name="RosterMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "before",
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
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
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
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "roster",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="moves", to="rosters.rosterimport"
                    ),
                ),
            ],
            options={
                "verbose_name": "change of state",
                "verbose_name_plural": "changes of state",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="RosterRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="row")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "new"),
                            ("matched", "known already"),
                            ("wrong", "wrong"),
                            ("skipped", "skipped"),
                        ],
                        max_length=10,
                        verbose_name="status",
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", max_length=200, verbose_name="why skipped")),
                ("is_bad", models.BooleanField(default=False)),
                ("is_repeat", models.BooleanField(db_default=False, default=False)),
                ("name", models.CharField(blank=True, db_default="", max_length=60, verbose_name="name")),
                ("initials", models.CharField(blank=True, db_default="", max_length=20)),
                ("sex", models.CharField(blank=True, db_default="", max_length=10)),
                ("born_on", models.DateField(null=True)),
                ("township", models.CharField(blank=True, db_default="", max_length=60)),
                ("background", models.CharField(blank=True, db_default="", max_length=10)),
                ("education", models.CharField(blank=True, db_default="", max_length=30)),
                ("handle", models.CharField(blank=True, db_default="", max_length=60)),
                ("trainee_number", models.CharField(blank=True, db_default="", max_length=20)),
                ("id_number", models.BinaryField(null=True)),
                ("id_number_index", models.BinaryField(max_length=32, null=True)),
                ("phone", models.BinaryField(null=True)),
                ("phone_index", models.BinaryField(max_length=32, null=True)),
                ("cells", incubator.common.encryption.EncryptedTextField(null=True)),
                ("sealed_for", models.BigIntegerField(null=True)),
                ("participation_key", models.BigIntegerField(null=True)),
                ("account_key", models.BigIntegerField(null=True)),
                (
                    "why",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("phone", "same mobile"),
                            ("account", "same account"),
                            ("name", "same name, county and date of birth"),
                            ("staff", "named by staff"),
                        ],
                        db_default="",
                        max_length=10,
                    ),
                ),
                (
                    "decision",
                    models.CharField(
                        blank=True,
                        choices=[("same", "the same person"), ("other", "another person")],
                        db_default="",
                        max_length=10,
                        verbose_name="decision",
                    ),
                ),
                ("decided_about", models.BigIntegerField(null=True)),
                (
                    "changes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), db_default=[], default=list, size=None
                    ),
                ),
                ("was", models.UUIDField(null=True)),
                ("before", incubator.common.encryption.EncryptedTextField(null=True)),
                ("id_number_anew", models.BinaryField(null=True)),
                ("phone_anew", models.BinaryField(null=True)),
                (
                    "county",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                    ),
                ),
                (
                    "looks_like",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="trainees.trainee",
                    ),
                ),
                (
                    "roster",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="rosters.rosterimport",
                    ),
                ),
                (
                    "trainee",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="trainees.trainee",
                    ),
                ),
            ],
            options={
                "verbose_name": "roster row",
                "verbose_name_plural": "roster rows",
                "ordering": ["number"],
                "abstract": False,
                "constraints": [
                    models.UniqueConstraint(fields=("roster", "number"), name="one_row_per_roster_and_number")
                ],
            },
        ),
        migrations.CreateModel(
            name="ColumnMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("header", models.CharField(max_length=60, verbose_name="header")),
                (
                    "column",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("name", "姓名"),
                            ("sex", "性别"),
                            ("id_number", "身份证号"),
                            ("phone", "联系电话"),
                            ("county", "县（市、区）"),
                            ("township", "乡镇"),
                            ("education", "学历"),
                            ("background", "类别"),
                            ("handle", "快手号"),
                            ("number", "学员编号"),
                            ("born_on", "出生日期"),
                        ],
                        max_length=20,
                        verbose_name="column",
                    ),
                ),
                ("at", models.DateTimeField(auto_now=True, verbose_name="at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "meaning of a header",
                "verbose_name_plural": "meanings of headers",
                "constraints": [
                    models.UniqueConstraint(fields=("region", "header"), name="one_meaning_per_region_and_header")
                ],
            },
        ),
    ]

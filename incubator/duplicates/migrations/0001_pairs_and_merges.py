"""Pairs of people who look like one, and what merging them changed."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import incubator.common.encryption


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("regions", "0001_initial"),
        ("trainees", "0012_former_numbers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DuplicatePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "why",
                    models.CharField(
                        choices=[
                            ("phone", "same mobile"),
                            ("account", "same account"),
                            ("name", "same name, county and date of birth"),
                            ("staff", "named by staff"),
                        ],
                        editable=False,
                        max_length=10,
                        verbose_name="why asked",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "to be decided"), ("same", "the same person"), ("different", "two people")],
                        db_index=True,
                        default="open",
                        editable=False,
                        max_length=10,
                        verbose_name="decision",
                    ),
                ),
                ("asked_at", models.DateTimeField(editable=False, verbose_name="asked at")),
                ("decided_at", models.DateTimeField(editable=False, null=True, verbose_name="decided at")),
                ("remark", models.CharField(blank=True, editable=False, max_length=200, verbose_name="remark")),
                (
                    "asked_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="asked by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="trainees.trainee",
                        verbose_name="one person",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="trainees.trainee",
                        verbose_name="other person",
                    ),
                ),
            ],
            options={
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
                "ordering": ["-asked_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("former_number", models.CharField(max_length=20, verbose_name="record that is gone")),
                ("former_id", models.BigIntegerField()),
                ("at", models.DateTimeField(db_index=True, verbose_name="at")),
                ("before", incubator.common.encryption.EncryptedTextField(null=True)),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                ("why_undone", models.CharField(blank=True, max_length=200, verbose_name="why undone")),
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
                    "former_county",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="its county",
                    ),
                ),
                (
                    "pair",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="duplicates.duplicatepair",
                        verbose_name="pair",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges",
                        to="trainees.trainee",
                        verbose_name="record that stayed",
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="undone by",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "ordering": ["-pk"],
                "permissions": [("merge_trainees", "Can merge people and undo it")],
            },
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.UniqueConstraint(
                fields=("first", "second"),
                name="one_question_per_pair",
                violation_error_message="These two were asked about already. Look for them in the list.",
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("second"))),
                name="pair_is_in_order",
                violation_error_message="These are not two records but one. Choose another.",
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("first__isnull", False), ("second__isnull", False)),
                    models.Q(
                        ("state", "same"),
                        models.Q(("first__isnull", False), ("second__isnull", False), _connector="OR"),
                    ),
                    _connector="OR",
                ),
                name="only_the_same_person_lacks_a_half",
            ),
        ),
        migrations.AddConstraint(
            model_name="duplicatepair",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("state", "open")),
                    models.Q(
                        models.Q(("state", "open"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="decided_pairs_say_by_whom_and_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("former_id",), name="one_merge_in_force_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)), fields=("pair",), name="one_merge_in_force_per_pair"
            ),
        ),
        migrations.AddConstraint(
            model_name="merge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("undone_at", None),
                    models.Q(("undone_by__isnull", False), models.Q(("why_undone", ""), _negated=True)),
                    _connector="OR",
                ),
                name="undone_merges_say_by_whom_and_why",
            ),
        ),
    ]

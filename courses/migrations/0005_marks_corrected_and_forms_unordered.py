"""Corrections of marks are kept; and no key of a satisfaction form tells in which order people filled it in."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("courses", "0004_one_source_of_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MarksChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("marks_before", models.DecimalField(decimal_places=1, max_digits=5, verbose_name="marks before")),
                ("marked_at_before", models.DateTimeField(verbose_name="marked at before")),
                ("marks_after", models.DecimalField(decimal_places=1, max_digits=5, verbose_name="marks after")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="courses.attempt",
                        verbose_name="attempt",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "correction of marks",
                "verbose_name_plural": "corrections of marks",
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="correction_of_marks_says_why"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("appealed_at", None),
                    models.Q(("marks__isnull", False), models.Q(("appeal_reason", ""), _negated=True)),
                    _connector="OR",
                ),
                name="appeal_is_of_marks_and_says_why",
            ),
        ),
        # Nobody could fill in a form before this: the tables are empty, and made anew with keys that are not counted.
        migrations.DeleteModel("SatisfactionCourseScore"),
        migrations.DeleteModel("SatisfactionTicket"),
        migrations.CreateModel(
            name="SatisfactionTicket",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "enrolment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="satisfaction_ticket",
                        to="courses.enrolment",
                    ),
                ),
            ],
            options={
                "verbose_name": "satisfaction form filled in",
                "verbose_name_plural": "satisfaction forms filled in",
            },
        ),
        migrations.CreateModel(
            name="SatisfactionCourseScore",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "score",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="score",
                    ),
                ),
                (
                    "answer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="courses",
                        to="courses.satisfactionanswer",
                    ),
                ),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.course",
                        verbose_name="course",
                    ),
                ),
            ],
            options={
                "verbose_name": "satisfaction with a course",
                "verbose_name_plural": "satisfaction with courses",
                "constraints": [
                    models.UniqueConstraint(fields=("answer", "course"), name="one_score_per_answer_and_course"),
                    models.CheckConstraint(
                        condition=models.Q(("score__gte", 1), ("score__lte", 5)),
                        name="course_satisfaction_is_from_1_to_5",
                    ),
                ],
            },
        ),
    ]

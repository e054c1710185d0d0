"""The tables as 0001 to 0006 left them, made at once: a new database is ready in less than half the time."""

import datetime
import uuid

import django.contrib.postgres.constraints
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import courses.models.classes

# A version says what was taught: it never changes, whatever is edited.
VERSIONS_STAY = """
CREATE FUNCTION courses_version_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a course version never changes' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER courses_version_stays BEFORE UPDATE OR DELETE ON courses_courseversion
    FOR EACH ROW EXECUTE FUNCTION courses_version_stays();
"""
VERSIONS_MOVE = "DROP TRIGGER courses_version_stays ON courses_courseversion; DROP FUNCTION courses_version_stays();"
# The one source of class hours. An online record counts at most the hours of its course.
TAUGHT = """
CREATE VIEW courses_taught AS
SELECT mark.id * 4 AS id, mark.participation_id, session.training_class_id, session.version_id, version.kind,
    (session.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS "on",
    (session.starts_at AT TIME ZONE 'Asia/Shanghai')::date AS training_day,
    mark.minutes::integer AS minutes, 'attendance' AS source
FROM courses_attendance mark
JOIN courses_session session ON session.id = mark.session_id
JOIN courses_courseversion version ON version.id = session.version_id
WHERE mark.state = 'present'
UNION ALL
SELECT record.id * 4 + 1, record.participation_id, NULL, record.version_id, version.kind,
    (record.finished_at AT TIME ZONE 'Asia/Shanghai')::date, NULL::date,
    least(record.minutes, floor(version.hours * 45))::integer, 'online'
FROM courses_learningrecord record
JOIN courses_courseversion version ON version.id = record.version_id
UNION ALL
SELECT carried.id * 4 + 2, carried.participation_id, NULL, NULL, carried.kind, carried."on",
    CASE WHEN carried.is_training_day THEN carried."on" END, carried.minutes, 'carried'
FROM courses_carriedtraining carried
"""


class Migration(migrations.Migration):
    replaces = [
        ("courses", "0001_initial"),
        ("courses", "0002_teaching"),
        ("courses", "0003_versions_and_keys"),
        ("courses", "0004_one_source_of_hours"),
        ("courses", "0005_marks_corrected_and_forms_unordered"),
        ("courses", "0006_sessions_end_within_a_day"),
    ]

    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("programmes", "0001_squashed_0005_support_as_given"),
        ("regions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Taught",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("general", "general"),
                            ("professional", "professional"),
                            ("practice", "practice"),
                            ("visit", "visit"),
                        ],
                        max_length=15,
                        verbose_name="kind",
                    ),
                ),
                ("on", models.DateField(verbose_name="day")),
                ("training_day", models.DateField(null=True)),
                ("minutes", models.IntegerField(verbose_name="minutes")),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("attendance", "attendance"),
                            ("online", "online learning record"),
                            ("carried", "carried over from another cohort"),
                        ],
                        max_length=10,
                        verbose_name="from",
                    ),
                ),
            ],
            options={
                "db_table": "courses_taught",
                "managed": False,
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100, verbose_name="title")),
                (
                    "kind",
                    models.CharField(
                        choices=[("written", "written"), ("practical", "practical"), ("work", "submitted work")],
                        default="written",
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("full_marks", models.PositiveSmallIntegerField(default=100, verbose_name="full marks")),
                ("pass_marks", models.PositiveSmallIntegerField(default=60, verbose_name="pass line")),
                ("is_required", models.BooleanField(default=True, verbose_name="must be passed to graduate")),
                ("most_attempts", models.PositiveSmallIntegerField(default=2, verbose_name="attempts at most")),
                ("due_at", models.DateTimeField(blank=True, null=True, verbose_name="due at")),
            ],
            options={
                "verbose_name": "assessment",
                "verbose_name_plural": "assessments",
                "ordering": ["training_class", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pass_marks__gt", 0), ("pass_marks__lte", models.F("full_marks"))),
                        name="pass_line_is_within_full_marks",
                        violation_error_message="The pass line must be above 0 and at most the full marks.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("most_attempts__gte", 1)), name="assessment_can_be_attempted"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Course",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, unique=True, verbose_name="code")),
                ("is_offered", models.BooleanField(default=True, verbose_name="is offered")),
            ],
            options={
                "verbose_name": "course",
                "verbose_name_plural": "courses",
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="Lecturer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("organisation", models.CharField(blank=True, max_length=100, verbose_name="organisation")),
                ("subject", models.CharField(blank=True, max_length=100, verbose_name="teaches")),
            ],
            options={
                "verbose_name": "lecturer",
                "verbose_name_plural": "lecturers",
                "ordering": ["name", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SatisfactionAnswer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "teaching",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="teaching",
                    ),
                ),
                (
                    "content",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="content",
                    ),
                ),
                (
                    "organisation",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="organisation of the class",
                    ),
                ),
                (
                    "usefulness",
                    models.PositiveSmallIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="usefulness",
                    ),
                ),
                ("remark", models.TextField(blank=True, max_length=500, verbose_name="remark")),
            ],
            options={
                "verbose_name": "satisfaction answer",
                "verbose_name_plural": "satisfaction answers",
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("content__gte", 1),
                            ("content__lte", 5),
                            ("organisation__gte", 1),
                            ("organisation__lte", 5),
                            ("teaching__gte", 1),
                            ("teaching__lte", 5),
                            ("usefulness__gte", 1),
                            ("usefulness__lte", 5),
                        ),
                        name="satisfaction_is_from_1_to_5",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(default=1, verbose_name="number")),
                ("link", models.URLField(blank=True, max_length=300, verbose_name="link to the work")),
                ("handed_in_at", models.DateTimeField(blank=True, null=True, verbose_name="handed in at")),
                (
                    "marks",
                    models.DecimalField(blank=True, decimal_places=1, max_digits=5, null=True, verbose_name="marks"),
                ),
                ("marked_at", models.DateTimeField(null=True, verbose_name="marked at")),
                ("appealed_at", models.DateTimeField(null=True, verbose_name="appealed at")),
                ("appeal_reason", models.CharField(blank=True, max_length=300, verbose_name="why appealed")),
                (
                    "second_marks",
                    models.DecimalField(
                        blank=True, decimal_places=1, max_digits=5, null=True, verbose_name="marks on appeal"
                    ),
                ),
                ("second_at", models.DateTimeField(null=True, verbose_name="marked again at")),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="courses.assessment",
                        verbose_name="assessment",
                    ),
                ),
                (
                    "marked_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="marked by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "second_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="second marker",
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
                "ordering": ["assessment", "participation", "number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("assessment", "participation", "number"),
                        name="one_attempt_per_assessment_person_and_number",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("marks", None), ("marks__gte", 0), _connector="OR"),
                        name="marks_are_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("marks", None),
                            models.Q(("marked_at__isnull", False), ("marked_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="marks_have_a_marker",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("second_marks", None),
                            models.Q(
                                ("appealed_at__isnull", False),
                                ("marks__isnull", False),
                                ("second_by__isnull", False),
                                ("second_marks__gte", 0),
                                models.Q(("second_by", models.F("marked_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="another_person_marks_an_appeal",
                        violation_error_message="An appeal is marked by somebody other than the first marker.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("appealed_at", None),
                            models.Q(("marks__isnull", False), models.Q(("appeal_reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="appeal_is_of_marks_and_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Attendance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("present", "present"), ("absent", "absent"), ("on_leave", "on leave")],
                        max_length=10,
                        verbose_name="attendance",
                    ),
                ),
                ("minutes", models.PositiveSmallIntegerField(verbose_name="minutes present")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("staff", "marked by staff"),
                            ("qr", "QR code scanned"),
                            ("code", "session code typed"),
                            ("paper", "signed sheet"),
                            ("workbook", "attendance workbook"),
                            ("closing", "session closed"),
                        ],
                        default="staff",
                        editable=False,
                        max_length=10,
                        verbose_name="how",
                    ),
                ),
                ("marked_at", models.DateTimeField(auto_now=True, verbose_name="marked at")),
                (
                    "marked_by",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="marked by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attendances",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "attendance",
                "verbose_name_plural": "attendances",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("minutes__gt", 0), ("state", "present")), ("minutes", 0), _connector="OR"
                        ),
                        name="only_the_present_have_minutes",
                        violation_error_message="Minutes are counted for people who were present.",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AttendanceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state_before",
                    models.CharField(
                        choices=[("present", "present"), ("absent", "absent"), ("on_leave", "on leave")],
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                ("minutes_before", models.PositiveSmallIntegerField(verbose_name="minutes before")),
                (
                    "method_before",
                    models.CharField(
                        choices=[
                            ("staff", "marked by staff"),
                            ("qr", "QR code scanned"),
                            ("code", "session code typed"),
                            ("paper", "signed sheet"),
                            ("workbook", "attendance workbook"),
                            ("closing", "session closed"),
                        ],
                        max_length=10,
                        verbose_name="how before",
                    ),
                ),
                ("marked_at_before", models.DateTimeField(verbose_name="marked at before")),
                (
                    "state_after",
                    models.CharField(
                        choices=[("present", "present"), ("absent", "absent"), ("on_leave", "on leave")],
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("minutes_after", models.PositiveSmallIntegerField(verbose_name="minutes after")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "attendance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="changes",
                        to="courses.attendance",
                        verbose_name="attendance",
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
                (
                    "marked_by_before",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "correction of attendance",
                "verbose_name_plural": "corrections of attendance",
                "ordering": ["pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="correction_of_attendance_says_why"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CarriedTraining",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("general", "general"),
                            ("professional", "professional"),
                            ("practice", "practice"),
                            ("visit", "visit"),
                        ],
                        max_length=15,
                        verbose_name="kind",
                    ),
                ),
                ("on", models.DateField(verbose_name="day")),
                ("is_training_day", models.BooleanField(verbose_name="counts as a day of training")),
                ("minutes", models.PositiveIntegerField(verbose_name="minutes")),
                (
                    "came_from",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carried_on",
                        to="programmes.participation",
                        verbose_name="from",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="carried",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "carried training",
                "verbose_name_plural": "carried training",
                "ordering": ["on", "kind"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participation", "came_from", "kind", "on", "is_training_day"), name="carried_once"
                    ),
                    models.CheckConstraint(condition=models.Q(("minutes__gt", 0)), name="carried_minutes_are_some"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CourseVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(editable=False, verbose_name="number")),
                ("title", models.CharField(max_length=100, verbose_name="title")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("general", "general"),
                            ("professional", "professional"),
                            ("practice", "practice"),
                            ("visit", "visit"),
                        ],
                        max_length=15,
                        verbose_name="kind",
                    ),
                ),
                (
                    "hours",
                    models.DecimalField(
                        decimal_places=1, help_text="45 minutes each.", max_digits=5, verbose_name="class hours"
                    ),
                ),
                (
                    "delivery",
                    models.CharField(
                        choices=[("on_site", "on site"), ("online", "online")],
                        default="on_site",
                        max_length=10,
                        verbose_name="delivery",
                    ),
                ),
                ("syllabus", models.TextField(blank=True, verbose_name="syllabus")),
                (
                    "materials",
                    models.TextField(blank=True, help_text="Titles or links, one a line.", verbose_name="materials"),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what changed")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "course",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="versions",
                        to="courses.course",
                        verbose_name="course",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "lecturer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.lecturer",
                        verbose_name="lecturer",
                    ),
                ),
            ],
            options={
                "verbose_name": "course version",
                "verbose_name_plural": "course versions",
                "ordering": ["course", "-number"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("hours__gt", 0)),
                        name="course_has_hours",
                        violation_error_message="A course has class hours: more than 0.",
                    ),
                    models.UniqueConstraint(fields=("course", "number"), name="one_version_per_course_and_number"),
                ],
            },
        ),
        migrations.AddField(
            model_name="course",
            name="current",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.courseversion",
                verbose_name="current version",
            ),
        ),
        migrations.CreateModel(
            name="Enrolment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("enrolled", "enrolled"), ("waiting", "waiting"), ("left", "left")],
                        default="enrolled",
                        editable=False,
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                (
                    "since",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="since"),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="enrolments",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "enrolment",
                "verbose_name_plural": "enrolments",
            },
        ),
        migrations.CreateModel(
            name="EnrolmentMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "before",
                    models.CharField(
                        blank=True,
                        choices=[("enrolled", "enrolled"), ("waiting", "waiting"), ("left", "left")],
                        max_length=10,
                        verbose_name="before",
                    ),
                ),
                (
                    "after",
                    models.CharField(
                        choices=[("enrolled", "enrolled"), ("waiting", "waiting"), ("left", "left")],
                        max_length=10,
                        verbose_name="after",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
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
                    "enrolment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="courses.enrolment"
                    ),
                ),
            ],
            options={
                "verbose_name": "change of enrolment",
                "verbose_name_plural": "changes of enrolment",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="GraduationDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("on", models.DateField(verbose_name="day of graduation")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="decided at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
            ],
            options={
                "verbose_name": "graduation decision",
                "verbose_name_plural": "graduation decisions",
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Graduation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("graduated_on", models.DateField(verbose_name="graduated on")),
                ("is_override", models.BooleanField(default=False, verbose_name="against the proposal")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("decided_at", models.DateTimeField(auto_now_add=True, verbose_name="decided at")),
                ("facts", models.JSONField(default=dict, verbose_name="figures")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="taken back at")),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduations",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "decision",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduations",
                        to="courses.graduationdecision",
                        verbose_name="decision",
                    ),
                ),
            ],
            options={
                "verbose_name": "graduation",
                "verbose_name_plural": "graduations",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("participation",),
                        name="one_live_graduation_per_participation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("is_override", False), models.Q(("reason", ""), _negated=True), _connector="OR"
                        ),
                        name="graduation_against_the_proposal_says_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GraduationHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200, verbose_name="reason")),
                ("facts", models.JSONField(default=dict, verbose_name="figures")),
                (
                    "decision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="holds",
                        to="courses.graduationdecision",
                        verbose_name="decision",
                    ),
                ),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduation_holds",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
            ],
            options={
                "verbose_name": "kept back from graduation",
                "verbose_name_plural": "kept back from graduation",
                "ordering": ["-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="keeping_back_says_why"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GraduationQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("opened_at", models.DateTimeField(auto_now_add=True, verbose_name="opened at")),
                ("cause", models.CharField(max_length=200, verbose_name="cause")),
                ("facts", models.JSONField(default=dict, verbose_name="figures now")),
                (
                    "answer",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("upheld", "the graduation stands"),
                            ("revoked", "the graduation is taken back"),
                            ("settled", "the figures meet the rule again"),
                        ],
                        max_length=10,
                        verbose_name="answer",
                    ),
                ),
                ("answered_at", models.DateTimeField(null=True, verbose_name="answered at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "answered_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="answered by",
                    ),
                ),
                (
                    "graduation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="questions",
                        to="courses.graduation",
                        verbose_name="graduation",
                    ),
                ),
            ],
            options={
                "verbose_name": "question about a graduation",
                "verbose_name_plural": "questions about graduations",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("answer", "")),
                        fields=("graduation",),
                        name="one_open_question_per_graduation",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("answer__in", ("", "settled")),
                            models.Q(("answered_by__isnull", False), models.Q(("reason", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="answer_about_a_graduation_says_who_and_why",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GraduationRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(default=1, editable=False, verbose_name="number")),
                ("min_days", models.PositiveSmallIntegerField(default=3, verbose_name="days at least")),
                (
                    "min_hours",
                    models.DecimalField(
                        decimal_places=1, default=0, max_digits=5, verbose_name="counted hours at least"
                    ),
                ),
                (
                    "min_general_hours",
                    models.DecimalField(
                        decimal_places=1, default=0, max_digits=5, verbose_name="general hours at least"
                    ),
                ),
                (
                    "general_hours_cap",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        default=8,
                        max_digits=5,
                        null=True,
                        verbose_name="general hours counted at most",
                    ),
                ),
                (
                    "min_professional_hours",
                    models.DecimalField(
                        decimal_places=1, default=16, max_digits=5, verbose_name="professional hours at least"
                    ),
                ),
                (
                    "professional_hours_cap",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        max_digits=5,
                        null=True,
                        verbose_name="professional hours counted at most",
                    ),
                ),
                (
                    "min_practice_hours",
                    models.DecimalField(
                        decimal_places=1, default=0, max_digits=5, verbose_name="practice hours at least"
                    ),
                ),
                (
                    "practice_hours_cap",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        max_digits=5,
                        null=True,
                        verbose_name="practice hours counted at most",
                    ),
                ),
                (
                    "min_visit_hours",
                    models.DecimalField(decimal_places=1, default=0, max_digits=5, verbose_name="visit hours at least"),
                ),
                (
                    "visit_hours_cap",
                    models.DecimalField(
                        blank=True,
                        decimal_places=1,
                        max_digits=5,
                        null=True,
                        verbose_name="visit hours counted at most",
                    ),
                ),
                (
                    "min_attendance_percent",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="Of the minutes of all sessions of the person's class.",
                        verbose_name="attendance at least (%)",
                    ),
                ),
                (
                    "needs_assessments",
                    models.BooleanField(default=True, verbose_name="required assessments must be passed"),
                ),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="what changed")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("replaced_at", models.DateTimeField(editable=False, null=True, verbose_name="replaced at")),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="graduation_rules",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
            ],
            options={
                "verbose_name": "graduation rule",
                "verbose_name_plural": "graduation rules",
                "ordering": ["cohort", "-number"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("cohort", "number"), name="one_graduation_rule_per_cohort_and_number"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("replaced_at", None)),
                        fields=("cohort",),
                        name="one_current_graduation_rule_per_cohort",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("min_attendance_percent__lte", 100)),
                        name="attendance_is_at_most_100_percent",
                        violation_error_message="Attendance is at most 100 %.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("general_hours_cap", None),
                            ("min_general_hours__lte", models.F("general_hours_cap")),
                            _connector="OR",
                        ),
                        name="general_minimum_is_within_its_cap",
                        violation_error_message="More hours are asked for than count.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("professional_hours_cap", None),
                            ("min_professional_hours__lte", models.F("professional_hours_cap")),
                            _connector="OR",
                        ),
                        name="professional_minimum_is_within_its_cap",
                        violation_error_message="More hours are asked for than count.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("practice_hours_cap", None),
                            ("min_practice_hours__lte", models.F("practice_hours_cap")),
                            _connector="OR",
                        ),
                        name="practice_minimum_is_within_its_cap",
                        violation_error_message="More hours are asked for than count.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("visit_hours_cap", None),
                            ("min_visit_hours__lte", models.F("visit_hours_cap")),
                            _connector="OR",
                        ),
                        name="visit_minimum_is_within_its_cap",
                        violation_error_message="More hours are asked for than count.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="graduation",
            name="rule",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="courses.graduationrule",
                verbose_name="rule",
            ),
        ),
        migrations.CreateModel(
            name="LearningRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minutes", models.PositiveIntegerField(verbose_name="minutes")),
                ("finished_at", models.DateTimeField(verbose_name="finished at")),
                (
                    "origin",
                    models.CharField(
                        blank=True, help_text="The import that told it.", max_length=60, verbose_name="from"
                    ),
                ),
                ("told_at", models.DateTimeField(auto_now=True, verbose_name="told at")),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="learning_records",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="courses.courseversion",
                        verbose_name="course",
                    ),
                ),
            ],
            options={
                "verbose_name": "online learning record",
                "verbose_name_plural": "online learning records",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("participation", "version"), name="one_record_per_person_and_course"
                    ),
                    models.CheckConstraint(condition=models.Q(("minutes__gt", 0)), name="learning_takes_minutes"),
                ],
            },
        ),
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
            name="Session",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_at", models.DateTimeField(verbose_name="from")),
                ("ends_at", models.DateTimeField(verbose_name="until")),
                ("room", models.CharField(blank=True, max_length=60, verbose_name="room")),
                (
                    "asks_check_out",
                    models.BooleanField(
                        default=False,
                        help_text="Who checks in by phone then counts as present only after checking out at the end.",
                        verbose_name="people check out too",
                    ),
                ),
                (
                    "check_in_key",
                    models.CharField(default=courses.models.classes._feed_key, editable=False, max_length=40),
                ),
                ("closed_at", models.DateTimeField(editable=False, null=True, verbose_name="closed at")),
                (
                    "closed_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="closed by",
                    ),
                ),
                (
                    "lecturer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="courses.lecturer",
                        verbose_name="lecturer",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="courses.courseversion",
                        verbose_name="course",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "ordering": ["starts_at"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_at__gt", models.F("starts_at"))),
                        name="session_ends_after_it_starts",
                        violation_error_message="The session must end after it starts.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "ends_at__lte",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("starts_at"), "+", models.Value(datetime.timedelta(days=1))
                                ),
                            )
                        ),
                        name="session_is_at_most_a_day_long",
                        violation_error_message="A session is at most 24 hours long.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PaperSheet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file", models.FileField(upload_to="sheets/%Y/%m/", verbose_name="scan")),
                ("file_name", models.CharField(max_length=200, verbose_name="file name")),
                ("content_type", models.CharField(max_length=60)),
                ("uploaded_at", models.DateTimeField(auto_now_add=True, verbose_name="uploaded at")),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="paper_sheets",
                        to="courses.session",
                        verbose_name="session",
                    ),
                ),
            ],
            options={
                "verbose_name": "signed sheet",
                "verbose_name_plural": "signed sheets",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("staff", "marked by staff"),
                            ("qr", "QR code scanned"),
                            ("code", "session code typed"),
                            ("paper", "signed sheet"),
                            ("workbook", "attendance workbook"),
                            ("closing", "session closed"),
                        ],
                        max_length=10,
                        verbose_name="how",
                    ),
                ),
                ("came_at", models.DateTimeField(verbose_name="came at")),
                ("left_at", models.DateTimeField(null=True, verbose_name="left at")),
                ("device", models.CharField(max_length=64, verbose_name="phone")),
                (
                    "participation",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_ins",
                        to="programmes.participation",
                        verbose_name="participation",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_ins",
                        to="courses.session",
                        verbose_name="session",
                    ),
                ),
            ],
            options={
                "verbose_name": "check-in",
                "verbose_name_plural": "check-ins",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session", "participation"), name="one_check_in_per_session_and_person"
                    ),
                    models.UniqueConstraint(fields=("session", "device"), name="one_check_in_per_session_and_phone"),
                    models.CheckConstraint(
                        condition=models.Q(("left_at", None), ("left_at__gte", models.F("came_at")), _connector="OR"),
                        name="nobody_leaves_before_coming",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="attendance",
            name="session",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attendances",
                to="courses.session",
                verbose_name="session",
            ),
        ),
        migrations.CreateModel(
            name="TrainingClass",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("concentrated", "concentrated training"),
                            ("practice", "practical training"),
                            ("online", "online training"),
                        ],
                        default="concentrated",
                        max_length=15,
                        verbose_name="kind",
                    ),
                ),
                (
                    "level",
                    models.CharField(
                        choices=[("basic", "basic"), ("advanced", "advanced"), ("expert", "expert")],
                        default="basic",
                        max_length=10,
                        verbose_name="level",
                    ),
                ),
                ("place", models.CharField(blank=True, max_length=100, verbose_name="place")),
                ("head_teacher", models.CharField(blank=True, max_length=60, verbose_name="head teacher")),
                ("starts_on", models.DateField(blank=True, null=True, verbose_name="starts on")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="ends on")),
                ("capacity", models.PositiveSmallIntegerField(default=50, verbose_name="capacity")),
                (
                    "feed_key",
                    models.CharField(
                        default=courses.models.classes._feed_key, editable=False, max_length=40, unique=True
                    ),
                ),
                (
                    "cohort",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="classes",
                        to="programmes.cohort",
                        verbose_name="cohort",
                    ),
                ),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="held in",
                    ),
                ),
            ],
            options={
                "verbose_name": "class",
                "verbose_name_plural": "classes",
                "ordering": ["-pk"],
                "constraints": [
                    models.UniqueConstraint(fields=("cohort", "name"), name="one_class_per_cohort_and_name"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on", None),
                            ("ends_on", None),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="class_ends_after_it_starts",
                        violation_error_message="The class must not end before it starts.",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="session",
            name="training_class",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="courses.trainingclass",
                verbose_name="class",
            ),
        ),
        migrations.AddField(
            model_name="satisfactionanswer",
            name="training_class",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="answers",
                to="courses.trainingclass",
                verbose_name="class",
            ),
        ),
        migrations.AddField(
            model_name="graduationdecision",
            name="training_class",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to="courses.trainingclass",
                verbose_name="class",
            ),
        ),
        migrations.AddField(
            model_name="enrolment",
            name="training_class",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="enrolments",
                to="courses.trainingclass",
                verbose_name="class",
            ),
        ),
        migrations.AddField(
            model_name="assessment",
            name="training_class",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="assessments",
                to="courses.trainingclass",
                verbose_name="class",
            ),
        ),
        migrations.CreateModel(
            name="TrainingInstitution",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("contact", models.CharField(blank=True, max_length=100, verbose_name="contact")),
                (
                    "region",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="regions.region",
                        verbose_name="region",
                    ),
                ),
            ],
            options={
                "verbose_name": "training institution",
                "verbose_name_plural": "training institutions",
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="trainingclass",
            name="institution",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="classes",
                to="courses.traininginstitution",
                verbose_name="training institution",
            ),
        ),
        migrations.CreateModel(
            name="InstitutionPosting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts_on", models.DateField(default=django.utils.timezone.localdate, verbose_name="from")),
                ("ends_on", models.DateField(blank=True, null=True, verbose_name="until")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="institution_postings",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff",
                        to="courses.traininginstitution",
                        verbose_name="training institution",
                    ),
                ),
            ],
            options={
                "verbose_name": "member of staff",
                "verbose_name_plural": "staff of the institution",
                "ordering": ["institution", "starts_on"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("ends_on", None), ("ends_on__gte", models.F("starts_on")), _connector="OR"),
                        name="institution_posting_ends_after_it_starts",
                        violation_error_message="The posting must not end before it starts.",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="attendance",
            constraint=models.UniqueConstraint(
                fields=("session", "participation"), name="one_mark_per_session_and_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.UniqueConstraint(
                fields=("training_class", "starts_at"), name="one_session_per_class_and_start"
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                expressions=[
                    (courses.models.classes._OneId("training_class", "training_class"), "&&"),
                    (courses.models.classes._Moments("starts_at", "ends_at", models.Value("[)")), "&&"),
                ],
                name="sessions_of_a_class_do_not_overlap",
                violation_error_message="Another session of this class is at that time already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(
                fields=("training_class", "participation"), name="one_enrolment_per_class_and_participation"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.UniqueConstraint(
                fields=("training_class", "title"), name="one_assessment_per_class_and_title"
            ),
        ),
        migrations.RunSQL(VERSIONS_STAY, VERSIONS_MOVE),
        migrations.RunSQL(TAUGHT, "DROP VIEW courses_taught"),
    ]

"""The old columns go; versions stay as they are; and all teaching is seen through one view."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
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
    dependencies = [("courses", "0003_versions_and_keys")]

    operations = [
        migrations.RemoveConstraint(
            model_name="course",
            name="course_has_hours",
        ),
        migrations.RemoveField(
            model_name="course",
            name="hours",
        ),
        migrations.RemoveField(
            model_name="course",
            name="kind",
        ),
        migrations.RemoveField(
            model_name="course",
            name="title",
        ),
        migrations.RemoveField(
            model_name="session",
            name="course",
        ),
        migrations.AlterField(
            model_name="session",
            name="check_in_key",
            field=models.CharField(default=courses.models.classes._feed_key, editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="trainingclass",
            name="feed_key",
            field=models.CharField(
                default=courses.models.classes._feed_key, editable=False, max_length=40, unique=True
            ),
        ),
        migrations.AlterField(
            model_name="session",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="courses.courseversion",
                verbose_name="course",
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
        migrations.RunSQL(VERSIONS_STAY, VERSIONS_MOVE),
        migrations.RunSQL(TAUGHT, "DROP VIEW courses_taught"),
    ]

"""What courses and classes were becomes their first versions; every class and session gets keys of its own."""

import secrets

from django.db import migrations, models

OVERLAPPING = """
SELECT one.id, other.id FROM courses_session one
JOIN courses_session other ON other.training_class_id = one.training_class_id AND other.id > one.id
    AND other.starts_at < one.ends_at AND other.ends_at > one.starts_at
LIMIT 10
"""


def fill(apps, schema_editor):
    require_no_overlap(schema_editor)
    Course, CourseVersion = (apps.get_model("courses", name) for name in ("Course", "CourseVersion"))
    Session, TrainingClass = (apps.get_model("courses", name) for name in ("Session", "TrainingClass"))
    for course in Course.objects.all():
        version = CourseVersion.objects.create(
            course=course, number=1, title=course.title, kind=course.kind, hours=course.hours
        )
        Course.objects.filter(pk=course.pk).update(current=version)
        Session.objects.filter(course=course).update(version=version)
    for rows, field in ((TrainingClass, "feed_key"), (Session, "check_in_key")):
        for row in rows.objects.iterator():
            rows.objects.filter(pk=row.pk).update(**{field: secrets.token_urlsafe(24)})
    move_rules(apps)


def move_rules(apps):
    """Graduations were decided under the only rule their cohort had."""
    Graduation, Rule = (apps.get_model("courses", name) for name in ("Graduation", "GraduationRule"))
    for rule in Rule.objects.all():
        Graduation.objects.filter(participation__cohort_id=rule.cohort_id).update(rule=rule)


def require_no_overlap(schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(OVERLAPPING)
        if found := cursor.fetchall():
            pairs = ", ".join(f"{one} and {other}" for one, other in found)
            raise RuntimeError(f"Sessions of a class overlap; change their times and migrate again: {pairs}")


def take_back(apps, schema_editor):
    Course, Session = (apps.get_model("courses", name) for name in ("Course", "Session"))
    for course in Course.objects.select_related("current"):
        said = {name: getattr(course.current, name) for name in ("title", "kind", "hours")}
        Course.objects.filter(pk=course.pk).update(current=None, **said)
        Session.objects.filter(version__course=course).update(course=course)


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_teaching")]

    operations = [
        migrations.AlterField("course", "title", models.CharField(max_length=100, default="")),
        migrations.AlterField("course", "kind", models.CharField(max_length=15, default="general")),
        migrations.AlterField("course", "hours", models.DecimalField(max_digits=5, decimal_places=1, default=1)),
        migrations.AlterField(
            "session", "course", models.ForeignKey("courses.Course", models.PROTECT, null=True, related_name="sessions")
        ),
        migrations.RunPython(fill, take_back),
    ]

"""The only writers of courses and their versions."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from courses.models import Course, CourseVersion
from incubator.common.errors import RuleBroken

# What a version says; everything that a new one may say differently.
SAID = ("title", "kind", "hours", "delivery", "lecturer", "syllabus", "materials")


@transaction.atomic
def add_course(code: str, *, by: Any, **said: Any) -> Course:
    """Put a course into the catalogue: version 1 says what is in ``SAID`` (at least title, kind and hours)."""
    if Course.objects.filter(code=code).exists():
        raise RuleBroken(_("There is a course with the code %(code)s already.") % {"code": code})
    course = Course.objects.create(code=code)
    return _say(course, 1, said, by=by)


@transaction.atomic
def revise_course(course: Course, *, by: Any, note: str = "", **said: Any) -> Course:
    """Give a course a next version, which says what the present one does but for ``said``.

    Sessions keep the version they were planned with, so what was taught keeps its hours and its kind.
    Raises ``RuleBroken`` when nothing would change.
    """
    course = Course.objects.select_for_update(of=["self"]).select_related("current").get(pk=course.pk)
    now = {name: getattr(course.current, name) for name in SAID}
    if now == now | said:
        raise RuleBroken(_("Nothing is different from the present version."))
    assert course.current is not None  # noqa: S101 - every course has one from add_course on
    return _say(course, course.current.number + 1, now | said, by=by, note=note)


def offer_course(course: Course, *, is_offered: bool, by: Any) -> None:
    """Whether new sessions may be planned of a course. What is planned stays."""
    Course.objects.filter(pk=course.pk).update(is_offered=is_offered)


def _say(course: Course, number: int, said: dict[str, Any], *, by: Any, note: str = "") -> Course:
    version = CourseVersion(course=course, number=number, made_by=by, note=note, **said)
    version.full_clean(exclude=["course", "made_by"], validate_constraints=True)
    version.save()
    course.current = version
    course.save(update_fields=["current"])
    return course

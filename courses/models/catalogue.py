"""What is taught, and by whom. A course is a code; what it says lies in versions that never change."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.choices import CourseKind, Delivery


class Lecturer(models.Model):
    """Somebody who teaches sessions; not a login."""

    name = models.CharField(pgettext_lazy("person", "name"), max_length=60)
    organisation = models.CharField(_("organisation"), max_length=100, blank=True)
    subject = models.CharField(_("teaches"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("lecturer")
        verbose_name_plural = _("lecturers")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.organisation})" if self.organisation else self.name


class Course(models.Model):
    """What is taught, by its code; ``current`` is the version that new sessions teach."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    current = models.OneToOneField(
        "CourseVersion", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("current version")
    )
    is_offered = models.BooleanField(_("is offered"), default=True)

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.current) if self.current_id else self.code


class CourseVersion(models.Model):
    """What a course says. Never changed: a session keeps the version, and with it the hours, that it taught."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="versions", verbose_name=_("course"))
    number = models.PositiveSmallIntegerField(pgettext_lazy("of a version", "number"), editable=False)
    title = models.CharField(_("title"), max_length=100)
    kind = models.CharField(_("kind"), max_length=15, choices=CourseKind)
    hours = models.DecimalField(_("class hours"), max_digits=5, decimal_places=1, help_text=_("45 minutes each."))
    delivery = models.CharField(_("delivery"), max_length=10, choices=Delivery, default=Delivery.ON_SITE)
    lecturer = models.ForeignKey(
        Lecturer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("lecturer")
    )
    syllabus = models.TextField(_("syllabus"), blank=True)
    materials = models.TextField(_("materials"), blank=True, help_text=_("Titles or links, one a line."))
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("by")
    )
    made_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("course version")
        verbose_name_plural = _("course versions")
        ordering = ["course", "-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(hours__gt=0),
                name="course_has_hours",
                violation_error_message=_("A course has class hours: more than 0."),
            ),
            models.UniqueConstraint(fields=["course", "number"], name="one_version_per_course_and_number"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_kind_display()})"

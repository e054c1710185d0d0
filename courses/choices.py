"""Closed lists of the courses room."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class CourseKind(models.TextChoices):
    GENERAL = "general", _("general")
    PROFESSIONAL = "professional", _("professional")
    PRACTICE = "practice", _("practice")
    VISIT = "visit", _("visit")


class AttendanceState(models.TextChoices):
    PRESENT = "present", _("present")
    ABSENT = "absent", _("absent")
    ON_LEAVE = "on_leave", _("on leave")


class AttendanceMethod(models.TextChoices):
    """How the mark was made; more ways come with check-in."""

    STAFF = "staff", _("marked by staff")


CLASS_HOUR_MINUTES = 45

"""Closed lists of the courses room."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CourseKind(models.TextChoices):
    GENERAL = "general", _("general")
    PROFESSIONAL = "professional", _("professional")
    PRACTICE = "practice", _("practice")
    VISIT = "visit", _("visit")


class Delivery(models.TextChoices):
    ON_SITE = "on_site", _("on site")
    ONLINE = "online", _("online")


class ClassKind(models.TextChoices):
    """What a class is held as. Kind and level together say what somebody has been taught already."""

    CONCENTRATED = "concentrated", _("concentrated training")
    PRACTICE = "practice", _("practical training")
    ONLINE = "online", _("online training")


class ClassLevel(models.TextChoices):
    BASIC = "basic", _("basic")
    ADVANCED = "advanced", _("advanced")
    EXPERT = "expert", _("expert")


class EnrolmentState(models.TextChoices):
    ENROLLED = "enrolled", _("enrolled")
    WAITING = "waiting", pgettext_lazy("enrolment", "waiting")
    LEFT = "left", pgettext_lazy("enrolment", "left")


class AttendanceState(models.TextChoices):
    PRESENT = "present", _("present")
    ABSENT = "absent", _("absent")
    ON_LEAVE = "on_leave", _("on leave")


class AttendanceMethod(models.TextChoices):
    """How the mark was made."""

    STAFF = "staff", _("marked by staff")
    QR = "qr", _("QR code scanned")
    CODE = "code", _("session code typed")
    PAPER = "paper", _("signed sheet")
    WORKBOOK = "workbook", _("attendance workbook")
    CLOSING = "closing", _("session closed")


class TaughtSource(models.TextChoices):
    """Where minutes of teaching come from."""

    ATTENDANCE = "attendance", _("attendance")
    ONLINE = "online", _("online learning record")
    CARRIED = "carried", _("carried over from another cohort")


class AssessmentKind(models.TextChoices):
    WRITTEN = "written", pgettext_lazy("assessment", "written")
    PRACTICAL = "practical", _("practical")
    WORK = "work", _("submitted work")


class Answer(models.TextChoices):
    """How a question about a graduation was answered."""

    UPHELD = "upheld", _("the graduation stands")
    REVOKED = "revoked", _("the graduation is taken back")
    SETTLED = "settled", _("the figures meet the rule again")


CLASS_HOUR_MINUTES = 45
LATE_AFTER_MINUTES = 10  # who comes or goes within so many minutes of the bell was there for all of it
EARLY_MINUTES = 30  # before the bell: people are there already, may be marked and check in

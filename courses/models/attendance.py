"""Who was at which session, how that is known, and what was corrected."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.choices import AttendanceMethod, AttendanceState
from courses.models.classes import Session
from courses.models.scoping import ClassScopedQuerySet
from incubator.common.sealed_files import SealedFileField
from incubator.programmes.models import Participation


class AttendanceQuerySet(ClassScopedQuerySet):
    region_path = "participation__trainee__county"
    class_path = "session__training_class"


class Attendance(models.Model):
    """Whether and how long (in minutes) somebody was at a session. Hours are counted from these rows, never typed.

    ``method``, ``marked_by`` and ``marked_at`` are the last mark's; those before are in ``changes``.
    """

    session = models.ForeignKey(Session, models.PROTECT, related_name="attendances", verbose_name=_("session"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="attendances", verbose_name=_("participation")
    )
    state = models.CharField(_("attendance"), max_length=10, choices=AttendanceState)
    minutes = models.PositiveSmallIntegerField(_("minutes present"))
    method = models.CharField(
        _("how"), max_length=10, choices=AttendanceMethod, default=AttendanceMethod.STAFF, editable=False
    )
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("marked by")
    )
    marked_at = models.DateTimeField(_("marked at"), auto_now=True)

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("attendance")
        verbose_name_plural = _("attendances")
        constraints = [
            models.UniqueConstraint(fields=["session", "participation"], name="one_mark_per_session_and_person"),
            models.CheckConstraint(
                condition=Q(state=AttendanceState.PRESENT, minutes__gt=0) | Q(minutes=0),
                name="only_the_present_have_minutes",
                violation_error_message=_("Minutes are counted for people who were present."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation} {self.get_state_display()}"


class AttendanceChange(models.Model):
    """A mark before it was corrected, with what it became, by whom and why. Only ever added to."""

    attendance = models.ForeignKey(Attendance, models.CASCADE, related_name="changes", verbose_name=_("attendance"))
    state_before = models.CharField(_("before"), max_length=10, choices=AttendanceState)
    minutes_before = models.PositiveSmallIntegerField(_("minutes before"))
    method_before = models.CharField(_("how before"), max_length=10, choices=AttendanceMethod)
    marked_by_before = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    marked_at_before = models.DateTimeField(_("marked at before"))
    state_after = models.CharField(_("after"), max_length=10, choices=AttendanceState)
    minutes_after = models.PositiveSmallIntegerField(_("minutes after"))
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("correction of attendance")
        verbose_name_plural = _("corrections of attendance")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="correction_of_attendance_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_before_display()} → {self.get_state_after_display()}"


class CheckInQuerySet(ClassScopedQuerySet):
    region_path = "participation__trainee__county"
    class_path = "session__training_class"


class CheckIn(models.Model):
    """Somebody checked in to a session with their own phone. A phone checks in one person a session."""

    session = models.ForeignKey(Session, models.PROTECT, related_name="check_ins", verbose_name=_("session"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="check_ins", verbose_name=_("participation")
    )
    method = models.CharField(_("how"), max_length=10, choices=AttendanceMethod)
    came_at = models.DateTimeField(_("came at"))
    left_at = models.DateTimeField(_("left at"), null=True)
    device = models.CharField(pgettext_lazy("device", "phone"), max_length=64)

    objects = CheckInQuerySet.as_manager()

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        constraints = [
            models.UniqueConstraint(fields=["session", "participation"], name="one_check_in_per_session_and_person"),
            models.UniqueConstraint(fields=["session", "device"], name="one_check_in_per_session_and_phone"),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=F("came_at")), name="nobody_leaves_before_coming"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation} {self.came_at}"


class PaperSheetQuerySet(ClassScopedQuerySet):
    region_path = "session__training_class__region"
    class_path = "session__training_class"


class PaperSheet(models.Model):
    """The scan or photograph of a signed attendance sheet, kept sealed: it shows signatures."""

    session = models.ForeignKey(Session, models.PROTECT, related_name="paper_sheets", verbose_name=_("session"))
    file = SealedFileField(_("scan"), upload_to="sheets/%Y/%m/")
    file_name = models.CharField(_("file name"), max_length=200)
    content_type = models.CharField(max_length=60)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)

    objects = PaperSheetQuerySet.as_manager()

    class Meta:
        verbose_name = _("signed sheet")
        verbose_name_plural = _("signed sheets")
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.file_name

"""Courses, classes, their sessions, who attended, and the decision that somebody graduated."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from courses.choices import AttendanceMethod, AttendanceState, CourseKind
from incubator.programmes.models import Cohort, Participation
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet


class Course(models.Model):
    """What is taught."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    title = models.CharField(_("title"), max_length=100)
    kind = models.CharField(_("kind"), max_length=15, choices=CourseKind)
    hours = models.DecimalField(_("class hours"), max_digits=5, decimal_places=1)

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        ordering = ["code"]
        constraints = [models.CheckConstraint(condition=Q(hours__gt=0), name="course_has_hours")]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_kind_display()})"


class GraduationRule(models.Model):
    """What graduation from a cohort takes, in days and class hours of 45 minutes. The numbers are the programme's own:
    at least 3 days, general courses count at most 8 hours, professional courses at least 16 hours.
    """

    cohort = models.OneToOneField(Cohort, models.CASCADE, related_name="graduation_rule", verbose_name=_("cohort"))
    min_days = models.PositiveSmallIntegerField(_("days at least"), default=3)
    general_hours_cap = models.PositiveSmallIntegerField(_("general hours counted at most"), default=8)
    min_professional_hours = models.PositiveSmallIntegerField(_("professional hours at least"), default=16)

    class Meta:
        verbose_name = _("graduation rule")
        verbose_name_plural = _("graduation rules")

    def __str__(self) -> str:
        return str(self.cohort)


class TrainingClassQuerySet(RegionScopedQuerySet):
    region_path = "region"


class TrainingClass(models.Model):
    """A class (班次): one running of the teaching for a cohort, with people enrolled."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="classes", verbose_name=_("cohort"))
    name = models.CharField(_("name"), max_length=100)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("held in"))
    place = models.CharField(_("place"), max_length=100, blank=True)
    capacity = models.PositiveSmallIntegerField(_("capacity"), default=50)

    objects = TrainingClassQuerySet.as_manager()

    class Meta:
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["cohort", "name"], name="one_class_per_cohort_and_name")]

    def __str__(self) -> str:
        return self.name


class SessionQuerySet(RegionScopedQuerySet):
    region_path = "training_class__region"


class Session(models.Model):
    """One meeting (课次) of a class, teaching one course from an instant to an instant."""

    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="sessions", verbose_name=_("class"))
    course = models.ForeignKey(Course, models.PROTECT, related_name="sessions", verbose_name=_("course"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="session_ends_after_it_starts",
                violation_error_message=_("The session must end after it starts."),
            ),
            models.UniqueConstraint(fields=["training_class", "starts_at"], name="one_session_per_class_and_start"),
        ]

    def __str__(self) -> str:
        return f"{self.training_class} {self.course}"

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)


class EnrolmentQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Enrolment(models.Model):
    """A participation in a class."""

    training_class = models.ForeignKey(
        TrainingClass, models.PROTECT, related_name="enrolments", verbose_name=_("class")
    )
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="enrolments", verbose_name=_("participation")
    )

    objects = EnrolmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(
                fields=["training_class", "participation"], name="one_enrolment_per_class_and_participation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participation} · {self.training_class}"


class AttendanceQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Attendance(models.Model):
    """Whether and how long (in minutes) somebody was at a session. Hours are counted from these rows, never typed."""

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


class GraduationQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Graduation(models.Model):
    """The decision that somebody graduated, with the figures it rested on (days, minutes, the rule's numbers)."""

    participation = models.OneToOneField(
        Participation, models.PROTECT, related_name="graduation", verbose_name=_("participation")
    )
    graduated_on = models.DateField(_("graduated on"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), auto_now_add=True)
    facts = models.JSONField(_("figures"), default=dict)

    objects = GraduationQuerySet.as_manager()

    class Meta:
        verbose_name = _("graduation")
        verbose_name_plural = _("graduations")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.participation)

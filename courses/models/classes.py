"""Institutions, classes, their sessions, and who is in them."""

import secrets
from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.choices import ClassKind, ClassLevel, EnrolmentState
from courses.models.catalogue import Course, CourseVersion, Lecturer
from courses.models.scoping import ClassScopedQuerySet
from incubator.programmes.models import Cohort, Participation
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet


class TrainingInstitutionQuerySet(RegionScopedQuerySet):
    region_path = "region"


class TrainingInstitution(models.Model):
    """A school, academy or company that holds classes. Its staff see its classes and nothing else."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("region"))
    contact = models.CharField(_("contact"), max_length=100, blank=True)

    objects = TrainingInstitutionQuerySet.as_manager()

    class Meta:
        verbose_name = _("training institution")
        verbose_name_plural = _("training institutions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class InstitutionPosting(models.Model):
    """A user works for an institution, from a day until a day, both included."""

    institution = models.ForeignKey(
        TrainingInstitution, models.CASCADE, related_name="staff", verbose_name=_("training institution")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="institution_postings", verbose_name=_("user")
    )
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff of the institution")
        ordering = ["institution", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="institution_posting_ends_after_it_starts",
                violation_error_message=_("The posting must not end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.institution}"


class TrainingClassQuerySet(ClassScopedQuerySet):
    region_path = "region"


def _feed_key() -> str:
    return secrets.token_urlsafe(24)


class TrainingClass(models.Model):
    """A class (班次): one running of the teaching for a cohort, with people enrolled."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="classes", verbose_name=_("cohort"))
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=15, choices=ClassKind, default=ClassKind.CONCENTRATED)
    level = models.CharField(_("level"), max_length=10, choices=ClassLevel, default=ClassLevel.BASIC)
    region = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("held in"))
    institution = models.ForeignKey(
        TrainingInstitution,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="classes",
        verbose_name=_("training institution"),
    )
    place = models.CharField(_("place"), max_length=100, blank=True)
    head_teacher = models.CharField(_("head teacher"), max_length=60, blank=True)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    capacity = models.PositiveSmallIntegerField(_("capacity"), default=50)
    feed_key = models.CharField(max_length=40, default=_feed_key, unique=True, editable=False)

    objects = TrainingClassQuerySet.as_manager()

    class Meta:
        verbose_name = _("class")
        verbose_name_plural = _("classes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "name"], name="one_class_per_cohort_and_name"),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="class_ends_after_it_starts",
                violation_error_message=_("The class must not end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SessionQuerySet(ClassScopedQuerySet):
    region_path = "training_class__region"
    class_path = "training_class"


class _OneId(Func):
    """A range of one number, so that an exclusion needs no operator class for numbers (no btree_gist here)."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"


class _Moments(Func):
    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Session(models.Model):
    """One meeting (课次) of a class, teaching one version of a course from an instant to an instant."""

    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="sessions", verbose_name=_("class"))
    version = models.ForeignKey(CourseVersion, models.PROTECT, related_name="sessions", verbose_name=_("course"))
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    room = models.CharField(_("room"), max_length=60, blank=True)
    lecturer = models.ForeignKey(
        Lecturer, models.PROTECT, null=True, blank=True, related_name="sessions", verbose_name=_("lecturer")
    )
    asks_check_out = models.BooleanField(
        _("people check out too"),
        default=False,
        help_text=_("Who checks in by phone then counts as present only after checking out at the end."),
    )
    check_in_key = models.CharField(max_length=40, default=_feed_key, editable=False)
    closed_at = models.DateTimeField(pgettext_lazy("session", "closed at"), null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("closed by"),
    )

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
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("starts_at") + timedelta(hours=24)),
                name="session_is_at_most_a_day_long",
                violation_error_message=_("A session is at most 24 hours long."),
            ),
            models.UniqueConstraint(fields=["training_class", "starts_at"], name="one_session_per_class_and_start"),
            ExclusionConstraint(
                name="sessions_of_a_class_do_not_overlap",
                expressions=[
                    (_OneId("training_class", "training_class"), RangeOperators.OVERLAPS),
                    (_Moments("starts_at", "ends_at", Value("[)")), RangeOperators.OVERLAPS),
                ],
                violation_error_message=_("Another session of this class is at that time already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_class} {self.version}"

    @property
    def minutes(self) -> int:
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    @property
    def course(self) -> Course:
        return self.version.course

    @property
    def is_closed(self) -> bool:
        return self.closed_at is not None


class EnrolmentQuerySet(ClassScopedQuerySet):
    region_path = "participation__trainee__county"
    class_path = "training_class"

    def enrolled(self) -> Self:
        return self.filter(state=EnrolmentState.ENROLLED)

    def waiting(self) -> Self:
        """Those in the queue, the next one first."""
        return self.filter(state=EnrolmentState.WAITING).order_by("since", "pk")


class Enrolment(models.Model):
    """A participation in a class, or in the queue for it, or that was in it."""

    training_class = models.ForeignKey(
        TrainingClass, models.PROTECT, related_name="enrolments", verbose_name=_("class")
    )
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="enrolments", verbose_name=_("participation")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=EnrolmentState, default=EnrolmentState.ENROLLED, editable=False
    )
    since = models.DateTimeField(_("since"), default=timezone.now, editable=False)

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


class EnrolmentMove(models.Model):
    """One change of an enrolment: from, to, who, when, why. Never changed. ``before`` is empty at its beginning."""

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="moves")
    before = models.CharField(_("before"), max_length=10, choices=EnrolmentState, blank=True)
    after = models.CharField(_("after"), max_length=10, choices=EnrolmentState)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("change of enrolment")
        verbose_name_plural = _("changes of enrolment")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"

"""Programmes, cohorts, participations and their support periods."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.programmes.choices import ParticipationState, Weight
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.models import Trainee


class Programme(models.Model):
    """A scheme, such as 农村青年主播."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        verbose_name = _("programme")
        verbose_name_plural = _("programmes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


ROSTER_CONDITIONS = ("min_age", "max_age", "out_of_age", "without_id_number", "without_phone", "without_account")


class Cohort(models.Model):
    """One intake of a programme, with its dates and the length of the support period in days.

    The weights say what a roster's rows must keep to: what does not is a warning, an error, or no matter.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="cohorts", verbose_name=_("programme"))
    name = models.CharField(_("name"), max_length=100)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    support_days = models.PositiveSmallIntegerField(_("days of support"), default=180)
    min_age = models.PositiveSmallIntegerField(_("youngest age"), default=16)
    max_age = models.PositiveSmallIntegerField(_("oldest age"), default=35)
    out_of_age = models.CharField(_("younger or older"), max_length=10, choices=Weight, default=Weight.WARN)
    without_id_number = models.CharField(_("no ID number"), max_length=10, choices=Weight, default=Weight.REFUSE)
    without_phone = models.CharField(_("no phone"), max_length=10, choices=Weight, default=Weight.REFUSE)
    without_account = models.CharField(_("no account"), max_length=10, choices=Weight, default=Weight.IGNORE)

    class Meta:
        verbose_name = _("cohort")
        verbose_name_plural = _("cohorts")
        ordering = ["-starts_on", "name"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "name"], name="one_cohort_per_programme_and_name"),
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")),
                name="cohort_ends_after_it_starts",
                violation_error_message=_("The cohort must not end before it starts."),
            ),
            models.CheckConstraint(condition=Q(support_days__gte=1), name="cohort_supports_a_day_or_more"),
            models.CheckConstraint(
                condition=Q(max_age__gte=F("min_age")),
                name="oldest_age_is_not_below_the_youngest",
                violation_error_message=_("The oldest age must not be below the youngest."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.programme} {self.name}"

    @property
    def roster_conditions(self) -> dict[str, int | str]:
        """What the rows of its rosters are checked against."""
        return {name: getattr(self, name) for name in ROSTER_CONDITIONS}


def in_support_q(on, prefix: str = "") -> Q:
    """Graduated, and ``on`` falls inside the support window, both end days included."""
    return Q(**{f"{prefix}support_starts_on__lte": on, f"{prefix}support_ends_on__gte": on}) & ~Q(
        **{f"{prefix}state": ParticipationState.WITHDRAWN}
    )


def graduated_q(prefix: str = "") -> Q:
    """Graduated, whatever came after except withdrawal."""
    return Q(**{f"{prefix}state__in": (ParticipationState.GRADUATED, ParticipationState.CONCLUDED)})


class ParticipationQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"

    def in_support(self, on: date) -> Self:
        return self.filter(in_support_q(on))

    def graduated(self) -> Self:
        return self.filter(graduated_q())


class Participation(models.Model):
    """One trainee in one cohort. The support period is a window of days, both ends included, opened by graduation."""

    # Indexes of these keys: the constraint on both, and one of each list in Meta.
    trainee = models.ForeignKey(
        Trainee, models.PROTECT, related_name="participations", db_index=False, verbose_name=_("trainee")
    )
    cohort = models.ForeignKey(
        Cohort, models.PROTECT, related_name="participations", db_index=False, verbose_name=_("cohort")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=ParticipationState, default=ParticipationState.NOMINATED, editable=False
    )
    nominated_on = models.DateField(_("nominated on"))
    graduated_on = models.DateField(_("graduated on"), null=True, editable=False)
    support_starts_on = models.DateField(_("support from"), null=True, editable=False)
    support_ends_on = models.DateField(_("support until"), null=True, editable=False)

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["trainee", "cohort"], name="one_participation_per_trainee_and_cohort"),
            models.CheckConstraint(
                condition=Q(support_starts_on=None, support_ends_on=None)
                | Q(support_starts_on__isnull=False, support_ends_on__gte=F("support_starts_on")),
                name="support_has_both_ends_in_order",
            ),
            models.CheckConstraint(
                condition=~graduated_q() | Q(graduated_on__isnull=False, support_starts_on__isnull=False),
                name="graduation_has_a_day_and_opens_support",
            ),
        ]
        indexes = [
            models.Index(fields=["cohort", "trainee"], include=["state"], name="participation_cohort"),
            models.Index(fields=["state", "trainee"], include=["cohort"], name="participation_state"),
        ]

    def __str__(self) -> str:
        return f"{self.trainee} · {self.cohort}"

    @property
    def is_graduated(self) -> bool:
        return self.state in (ParticipationState.GRADUATED, ParticipationState.CONCLUDED)

    def support_days_left(self, on: date) -> int | None:
        """Days from ``on`` to the last day of support, that day counted; 0 once it is over, None before it opens."""
        if self.support_starts_on is None or self.support_ends_on is None or on < self.support_starts_on:
            return None
        return max(0, (self.support_ends_on - on).days + 1)


class ParticipationMove(models.Model):
    """One change of state: from, to, who, when, why. Never changed."""

    participation = models.ForeignKey(Participation, models.PROTECT, related_name="moves")
    before = models.CharField(_("before"), max_length=10, choices=ParticipationState)
    after = models.CharField(_("after"), max_length=10, choices=ParticipationState)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("change of state")
        verbose_name_plural = _("changes of state")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"

"""Programmes, cohorts, participations and their support periods."""

from datetime import date
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.programmes.choices import Cause, ChangeKind, ParticipationState, SupportReminderEnd, Weight
from incubator.programmes.interests import is_settled
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

    The weights say what a roster's rows must keep to: what does not is a warning, an error, or no matter. How far a
    support period may be lengthened is the cohort's, too; 0 forbids it.
    """

    programme = models.ForeignKey(Programme, models.PROTECT, related_name="cohorts", verbose_name=_("programme"))
    name = models.CharField(_("name"), max_length=100)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))
    support_days = models.PositiveSmallIntegerField(_("days of support"), default=180)
    most_extension_days = models.PositiveSmallIntegerField(
        _("most days of extension"), default=90, db_default=90, help_text=_("Of one person, in all. 0 forbids it.")
    )
    most_pause_days = models.PositiveSmallIntegerField(
        _("most days of pause"), default=180, db_default=180, help_text=_("Of one person, in all. 0 forbids it.")
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"),
        default=30,
        db_default=30,
        help_text=_("So many days after its end a support period can still be lengthened."),
    )
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
    """One trainee in one cohort. The support period is a window of days, both ends included, opened by graduation.

    ``support_ends_on`` is the end that counts: as given, moved by ``SupportChange`` (``incubator.programmes.support``
    keeps it true). ``support_base_ends_on`` is the end as it was given.
    """

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
    support_base_ends_on = models.DateField(_("support until, as given"), null=True, editable=False)

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
            models.CheckConstraint(
                condition=Q(support_base_ends_on=None) | Q(support_base_ends_on__gte=F("support_starts_on")),
                name="support_was_given_from_its_start",
            ),
        ]
        indexes = [
            models.Index(fields=["cohort", "trainee"], include=["state"], name="participation_cohort"),
            models.Index(fields=["state", "trainee"], include=["cohort"], name="participation_state"),
            # Whose deadline is near, every night and in the list: graduates only, so that nobody else pays for it.
            models.Index(
                fields=["support_ends_on"], condition=Q(state=ParticipationState.GRADUATED), name="support_ends_soon"
            ),
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


# --- What changes a support period ------------------------------------------------------------------------------------


class SupportChangeQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"

    def in_force(self) -> Self:
        """Not taken back; the rows that take back are no changes themselves."""
        gone = SupportChange.objects.filter(kind=ChangeKind.TAKING_BACK, about=OuterRef("pk"))
        return self.exclude(kind=ChangeKind.TAKING_BACK).filter(~Exists(gone))

    def pauses_on(self, day: date) -> Self:
        """Pauses in force that cover a day."""
        ended = SupportChange.objects.in_force().filter(
            kind=ChangeKind.RESUMPTION, about=OuterRef("pk"), last_day__lt=day
        )
        return self.in_force().filter(~Exists(ended), kind=ChangeKind.PAUSE, first_day__lte=day, last_day__gte=day)

    def never_ended(self) -> Self:
        """Pauses in force that were begun without an end and given none since."""
        ended = SupportChange.objects.in_force().filter(kind=ChangeKind.RESUMPTION, about=OuterRef("pk"))
        return self.in_force().filter(~Exists(ended), kind=ChangeKind.PAUSE, is_open=True)


class SupportChange(models.Model):
    """One thing done to a support period. Rows are only ever added; a trigger holds that.

    An extension adds ``days``. A pause lasts from ``first_day`` to ``last_day``, both included; where ``is_open``
    nobody said yet when it is over, and ``last_day`` is the latest that the cohort's limit allows. A resumption is
    ``about`` a pause and gives it an earlier ``last_day``. Taking back is ``about`` another row, which counts no more.
    """

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="support_changes", verbose_name=_("participation")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=ChangeKind)
    cause = models.CharField(pgettext_lazy("support period", "cause"), max_length=10, choices=Cause, blank=True)
    days = models.PositiveSmallIntegerField(_("days"), null=True)
    first_day = models.DateField(_("first day"), null=True)
    last_day = models.DateField(_("last day"), null=True)
    is_open = models.BooleanField(_("until further notice"), default=False)
    about = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="answers", verbose_name=pgettext_lazy("support period", "about")
    )
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = SupportChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a support period")
        verbose_name_plural = _("changes of support periods")
        ordering = ["-pk"]
        permissions = [("decide_supportchange", "Can extend, pause and resume support periods")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=ChangeKind.EXTENSION, days__gte=1, first_day=None, last_day=None)
                | Q(kind=ChangeKind.PAUSE, days=None, first_day__isnull=False, last_day__gte=F("first_day"))
                | Q(kind=ChangeKind.RESUMPTION, days=None, first_day=None, last_day__isnull=False)
                | Q(kind=ChangeKind.TAKING_BACK, days=None, first_day=None, last_day=None),
                name="support_change_says_what_its_kind_needs",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(kind=ChangeKind.PAUSE), name="only_a_pause_is_open_ended"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=(ChangeKind.EXTENSION, ChangeKind.PAUSE), about=None) & ~Q(cause="")
                | Q(kind__in=(ChangeKind.RESUMPTION, ChangeKind.TAKING_BACK), about__isnull=False, cause=""),
                name="what_lengthens_support_has_a_cause_and_the_rest_a_subject",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="support_change_has_a_reason"),
            models.UniqueConstraint(
                fields=["about"], condition=Q(kind=ChangeKind.TAKING_BACK), name="one_taking_back_per_support_change"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class SupportReminderQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def due(self, on: date) -> Self:
        """Open, and still true: the end it tells of is the one that counts now, lies ahead, and matters."""
        return self.open().filter(
            ~Q(is_settled("participation_id")),
            participation__state=ParticipationState.GRADUATED,
            participation__support_ends_on=F("ends_on"),
            ends_on__gte=on,
        )


class SupportReminder(models.Model):
    """That a support period ends on a day is told from ``stage`` days before, until it is true no more.

    ``made_at`` is later than ``due_on`` where the daily task was; then only the newest stage due is made.
    """

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="support_reminders", verbose_name=_("participation")
    )
    ends_on = models.DateField(_("support until"))
    stage = models.PositiveSmallIntegerField(_("days before"))
    due_on = models.DateField(_("due on"))
    made_at = models.DateTimeField(_("made at"))
    seen_at = models.DateTimeField(_("first seen by the trainee"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=SupportReminderEnd, blank=True)

    objects = SupportReminderQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder of a support period's end")
        verbose_name_plural = _("reminders of support periods' ends")
        ordering = ["ends_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["participation"], condition=Q(closed_at=None), name="one_open_reminder_per_support_period"
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="closed_support_reminder_says_why",
            ),
        ]
        indexes = [models.Index(fields=["ends_on"], condition=Q(closed_at=None), name="open_support_reminders")]

    def __str__(self) -> str:
        return f"{self.ends_on} (-{self.stage})"

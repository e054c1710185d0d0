"""The rule of graduation, what was decided by it, and what became questionable afterwards."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.choices import Answer
from courses.models.classes import TrainingClass
from incubator.programmes.models import Cohort, Participation
from incubator.regions.scoping import RegionScopedQuerySet


def _hours(text, **kwargs) -> models.DecimalField:
    return models.DecimalField(text, max_digits=5, decimal_places=1, **kwargs)


class GraduationRuleQuerySet(models.QuerySet):
    def current(self) -> Self:
        return self.filter(replaced_at=None)


class GraduationRule(models.Model):
    """What graduation from a cohort takes, in days and class hours of 45 minutes; a version that never changes.

    The numbers are the programme's own: at least 3 days, general courses count at most 8 hours, professional courses at
    least 16 hours. Of a kind's minutes at most its cap counts, towards its own minimum and the total alike; every bound
    is met by reaching it.
    """

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="graduation_rules", verbose_name=_("cohort"))
    number = models.PositiveSmallIntegerField(pgettext_lazy("of a version", "number"), default=1, editable=False)
    min_days = models.PositiveSmallIntegerField(_("days at least"), default=3)
    min_hours = _hours(_("counted hours at least"), default=0)
    min_general_hours = _hours(_("general hours at least"), default=0)
    general_hours_cap = _hours(_("general hours counted at most"), null=True, blank=True, default=8)
    min_professional_hours = _hours(_("professional hours at least"), default=16)
    professional_hours_cap = _hours(_("professional hours counted at most"), null=True, blank=True)
    min_practice_hours = _hours(_("practice hours at least"), default=0)
    practice_hours_cap = _hours(_("practice hours counted at most"), null=True, blank=True)
    min_visit_hours = _hours(_("visit hours at least"), default=0)
    visit_hours_cap = _hours(_("visit hours counted at most"), null=True, blank=True)
    min_attendance_percent = models.PositiveSmallIntegerField(
        _("attendance at least (%)"), default=0, help_text=_("Of the minutes of all sessions of the person's class.")
    )
    needs_assessments = models.BooleanField(_("required assessments must be passed"), default=True)
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", editable=False, verbose_name=_("by")
    )
    made_at = models.DateTimeField(_("at"), auto_now_add=True)
    replaced_at = models.DateTimeField(_("replaced at"), null=True, editable=False)

    objects = GraduationRuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("graduation rule")
        verbose_name_plural = _("graduation rules")
        ordering = ["cohort", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["cohort", "number"], name="one_graduation_rule_per_cohort_and_number"),
            models.UniqueConstraint(
                fields=["cohort"], condition=Q(replaced_at=None), name="one_current_graduation_rule_per_cohort"
            ),
            models.CheckConstraint(
                condition=Q(min_attendance_percent__lte=100),
                name="attendance_is_at_most_100_percent",
                violation_error_message=_("Attendance is at most 100 %."),
            ),
            *[
                models.CheckConstraint(
                    condition=Q(**{f"{kind}_hours_cap": None})
                    | Q(**{f"min_{kind}_hours__lte": models.F(f"{kind}_hours_cap")}),
                    name=f"{kind}_minimum_is_within_its_cap",
                    violation_error_message=_("More hours are asked for than count."),
                )
                for kind in ("general", "professional", "practice", "visit")
            ],
        ]

    def __str__(self) -> str:
        return f"{self.cohort} · {self.number}"


class GraduationDecision(models.Model):
    """One sitting in which graduations were decided, of a class or of people chosen. Never changed."""

    training_class = models.ForeignKey(
        TrainingClass, models.PROTECT, null=True, related_name="decisions", verbose_name=_("class")
    )
    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="+", verbose_name=_("cohort"))
    on = models.DateField(_("day of graduation"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by"))
    at = models.DateTimeField(_("decided at"), auto_now_add=True)

    class Meta:
        verbose_name = _("graduation decision")
        verbose_name_plural = _("graduation decisions")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.training_class or self.cohort} {self.on}"


class GraduationQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"

    def live(self) -> Self:
        return self.filter(revoked_at=None)


class Graduation(models.Model):
    """The decision that somebody graduated, with the figures and the rule it rested on.

    ``is_override`` says that a person decided against the proposal, and ``reason`` why. Figures never change; what is
    corrected later becomes a question (``GraduationQuestion``).
    """

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="graduations", verbose_name=_("participation")
    )
    decision = models.ForeignKey(
        GraduationDecision, models.PROTECT, null=True, related_name="graduations", verbose_name=_("decision")
    )
    rule = models.ForeignKey(GraduationRule, models.PROTECT, null=True, related_name="+", verbose_name=_("rule"))
    graduated_on = models.DateField(_("graduated on"))
    is_override = models.BooleanField(_("against the proposal"), default=False)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), auto_now_add=True)
    facts = models.JSONField(_("figures"), default=dict)
    revoked_at = models.DateTimeField(_("taken back at"), null=True)

    objects = GraduationQuerySet.as_manager()

    class Meta:
        verbose_name = _("graduation")
        verbose_name_plural = _("graduations")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["participation"], condition=Q(revoked_at=None), name="one_live_graduation_per_participation"
            ),
            models.CheckConstraint(
                condition=Q(is_override=False) | ~Q(reason=""), name="graduation_against_the_proposal_says_why"
            ),
        ]

    def __str__(self) -> str:
        return str(self.participation)


class GraduationHoldQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class GraduationHold(models.Model):
    """Somebody who meets the rule was kept back in a decision, and why."""

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="graduation_holds", verbose_name=_("participation")
    )
    decision = models.ForeignKey(GraduationDecision, models.PROTECT, related_name="holds", verbose_name=_("decision"))
    reason = models.CharField(_("reason"), max_length=200)
    facts = models.JSONField(_("figures"), default=dict)

    objects = GraduationHoldQuerySet.as_manager()

    class Meta:
        verbose_name = _("kept back from graduation")
        verbose_name_plural = _("kept back from graduation")
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="keeping_back_says_why")]

    def __str__(self) -> str:
        return str(self.participation)


class GraduationQuestionQuerySet(RegionScopedQuerySet):
    region_path = "graduation__participation__trainee__county"

    def open(self) -> Self:
        return self.filter(answer="")


class GraduationQuestion(models.Model):
    """After the graduation something was corrected, and the figures no longer meet the rule: does it stand?"""

    graduation = models.ForeignKey(Graduation, models.PROTECT, related_name="questions", verbose_name=_("graduation"))
    opened_at = models.DateTimeField(_("opened at"), auto_now_add=True)
    cause = models.CharField(_("cause"), max_length=200)
    facts = models.JSONField(_("figures now"), default=dict)
    answer = models.CharField(_("answer"), max_length=10, choices=Answer, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered at"), null=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = GraduationQuestionQuerySet.as_manager()

    class Meta:
        verbose_name = _("question about a graduation")
        verbose_name_plural = _("questions about graduations")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["graduation"], condition=Q(answer=""), name="one_open_question_per_graduation"
            ),
            models.CheckConstraint(
                condition=Q(answer__in=("", "settled")) | Q(answered_by__isnull=False) & ~Q(reason=""),
                name="answer_about_a_graduation_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return str(self.graduation)

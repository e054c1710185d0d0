"""Badges, versions of what they take, candidates who reached it, and awards with their evidence."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.choices import CandidateState
from incubator.metrics.models import LOWEST_THRESHOLD, CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.models import Trainee


class Badge(models.Model):
    """A title, such as 幸福乡村带头人."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=100)

    class Meta:
        verbose_name = _("badge")
        verbose_name_plural = _("badges")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """One version of what a badge takes: graduated, and that many followers on a day of the support period.

    Reaching the number counts; ``is_strict`` asks for more than it. A published version is never changed.
    """

    badge = models.ForeignKey(Badge, models.PROTECT, related_name="rules", verbose_name=_("badge"))
    version = models.PositiveSmallIntegerField(_("version"))
    followers = models.PositiveIntegerField(_("followers"), default=100_000)
    is_strict = models.BooleanField(_("more than the number"), default=False)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("certification rule")
        verbose_name_plural = _("certification rules")
        ordering = ["badge", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["badge", "version"], name="one_rule_per_badge_and_version"),
            models.CheckConstraint(
                condition=Q(followers__gte=LOWEST_THRESHOLD),
                name="rule_asks_for_at_least_the_lowest_threshold",
                violation_error_message=_("A rule asks for at least 10,000 followers."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.badge} v{self.version}"


class CandidateQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Candidate(models.Model):
    """A graduate who reached a rule's number within the support period; waits for a person's decision."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="candidates", verbose_name=_("rule"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="candidacies", verbose_name=_("participation")
    )
    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="+", verbose_name=_("account"))
    crossed_on = models.DateField(_("reached on"))
    followers = models.PositiveIntegerField(_("followers that day"))
    found_on = models.DateField(_("found on"))
    state = models.CharField(
        _("state"), max_length=10, choices=CandidateState, default=CandidateState.PENDING, editable=False, db_index=True
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        ordering = ["-crossed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "participation"], name="one_candidacy_per_rule_and_participation"),
            models.CheckConstraint(
                condition=Q(state=CandidateState.PENDING) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decided_candidates_say_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=CandidateState.REFUSED) | ~Q(reason=""), name="refused_candidates_are_told_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation.trainee} {self.rule}"


class AwardQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"

    def live(self):
        """Given and not withdrawn."""
        return self.filter(withdrawn_at=None)


class Award(models.Model):
    """A badge given to a person. ``evidence`` is frozen: rule version, reading, graduation, and who decided."""

    number = models.CharField(_("certificate number"), max_length=30, unique=True, editable=False)
    badge = models.ForeignKey(Badge, models.PROTECT, related_name="awards", verbose_name=_("badge"))
    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="awards", verbose_name=_("trainee"))
    candidate = models.OneToOneField(
        Candidate, models.PROTECT, related_name="award", editable=False, verbose_name=_("candidate")
    )
    awarded_on = models.DateField(_("awarded on"))
    awarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("awarded by")
    )
    evidence = models.JSONField(_("evidence"), editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("withdrawn by"),
    )
    withdrawal_reason = models.CharField(_("reason of withdrawal"), max_length=300, blank=True, editable=False)

    objects = AwardQuerySet.as_manager()

    class Meta:
        verbose_name = _("award")
        verbose_name_plural = _("awards")
        ordering = ["-awarded_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["badge", "trainee"], condition=Q(withdrawn_at=None), name="one_live_award_per_badge_and_trainee"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None) | (Q(withdrawn_by__isnull=False) & ~Q(withdrawal_reason="")),
                name="withdrawn_awards_say_by_whom_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.trainee.name}"

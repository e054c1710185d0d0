"""People who reached a rule's number, and what was decided about them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.choices import CandidateState
from incubator.certification.models.rules import Rule
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet


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

"""People who reached a rule's number, and what was decided about them."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incubator.certification.choices import DECIDED, CandidateState
from incubator.certification.models.rules import Rule
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet


def _person(text: Any) -> models.ForeignKey:
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=text
    )


class CandidateQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Candidate(models.Model):
    """Somebody who met a rule's conditions, or is holding its number; waits for what people decide.

    ``account``, ``crossed_on`` and ``followers`` tell the first day on which an account had the rule's number (empty
    where the rule asks for none), ``held_on`` the day since when it was held long enough. Two people decide: one
    proposes, another approves; ``was_decided_alone`` marks approvals from before two were asked.
    """

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="candidates", verbose_name=_("rule"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="candidacies", verbose_name=_("participation")
    )
    account = models.ForeignKey(CreatorAccount, models.PROTECT, null=True, related_name="+", verbose_name=_("account"))
    crossed_on = models.DateField(_("reached on"), null=True)
    followers = models.PositiveIntegerField(_("followers that day"), null=True)
    held_on = models.DateField(_("held long enough on"), null=True)
    found_on = models.DateField(_("found on"))
    state = models.CharField(
        _("state"), max_length=10, choices=CandidateState, default=CandidateState.PENDING, editable=False, db_index=True
    )
    proposed_by = _person(_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed at"), null=True, editable=False)
    remark = models.CharField(_("remark"), max_length=300, blank=True, editable=False)
    question = models.CharField(_("question"), max_length=300, blank=True, editable=False)
    answer = models.CharField(_("answer"), max_length=300, blank=True, editable=False)
    decided_by = _person(_("decided by"))
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    was_decided_alone = models.BooleanField(default=False, editable=False)
    lapsed_at = models.DateTimeField(_("no longer met since"), null=True, editable=False)

    objects = CandidateQuerySet.as_manager()

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        ordering = ["-crossed_on", "-pk"]
        permissions = [
            ("answer_candidate", _("Can answer what was asked back about a candidate")),
            ("explain_candidate", _("Can read why somebody has a badge or has not")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["rule", "participation"], name="one_candidacy_per_rule_and_participation"),
            models.CheckConstraint(
                condition=~Q(state__in=DECIDED) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="decided_candidates_say_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=CandidateState.REFUSED) | ~Q(reason=""), name="refused_candidates_are_told_why"
            ),
            models.CheckConstraint(
                condition=~Q(state=CandidateState.PROPOSED) | Q(proposed_by__isnull=False, proposed_at__isnull=False),
                name="proposed_candidates_say_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=~Q(state=CandidateState.APPROVED)
                | Q(was_decided_alone=True)
                | Q(proposed_by__isnull=False) & ~Q(proposed_by=F("decided_by")),
                name="two_people_approve_a_candidate",
                violation_error_message=_("Who proposed it cannot approve it too."),
            ),
            models.CheckConstraint(
                condition=Q(account=None, crossed_on=None, followers=None)
                | Q(account__isnull=False, crossed_on__isnull=False, followers__isnull=False),
                name="a_number_has_an_account_and_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.participation.trainee} {self.rule}"


class CandidateEventQuerySet(RegionScopedQuerySet):
    region_path = "candidate__participation__trainee__county"


class CandidateEvent(models.Model):
    """What happened to a candidacy: found, proposed, asked back, lapsed, back again … Never changed or deleted."""

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="events", verbose_name=_("candidate"))
    before = models.CharField(_("before"), max_length=10, choices=CandidateState, blank=True)
    after = models.CharField(_("after"), max_length=10, choices=CandidateState)
    at = models.DateTimeField(_("at"), default=timezone.now)
    by = _person(_("by"))
    words = models.CharField(_("words"), max_length=300, blank=True)

    objects = CandidateEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of a candidacy")
        verbose_name_plural = _("events of candidacies")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.candidate_id}: {self.before} → {self.after}"

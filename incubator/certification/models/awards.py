"""Badges given to people, with their evidence."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.models.candidates import Candidate
from incubator.certification.models.rules import Badge
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.models import Trainee


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

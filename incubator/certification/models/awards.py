"""Badges given to people, with their evidence."""

import secrets
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.choices import AwardStanding
from incubator.certification.models.candidates import Candidate
from incubator.certification.models.rules import Badge
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.models import Trainee

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # neither 0 and O nor 1 and I
CODE_LENGTH = 20


class AwardQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"

    def live(self):
        """Given and not withdrawn."""
        return self.filter(withdrawn_at=None)


def new_code() -> str:
    """A code of verification that nobody guesses: 100 random bits in letters and digits that are not mistaken."""
    return "".join(secrets.choice(CODE_LETTERS) for _n in range(CODE_LENGTH))


class Award(models.Model):
    """A badge given to a person. ``evidence`` is frozen: rule version, reading, graduation, and who decided.

    ``number`` tells year and county and is printed; ``code`` opens the public page and cannot be guessed from it.
    ``holder_name`` is the name as the certificate has it; strangers see it only where the holder agreed.
    """

    number = models.CharField(_("certificate number"), max_length=30, unique=True, editable=False)
    code = models.CharField(_("verification code"), max_length=20, unique=True, editable=False, default=new_code)
    badge = models.ForeignKey(Badge, models.PROTECT, related_name="awards", verbose_name=_("badge"))
    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="awards", verbose_name=_("trainee"))
    candidate = models.OneToOneField(
        Candidate, models.PROTECT, related_name="award", editable=False, verbose_name=_("candidate")
    )
    awarded_on = models.DateField(_("awarded on"))
    awarded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("awarded by")
    )
    expires_on = models.DateField(_("valid until"), null=True, editable=False)
    holder_name = models.CharField(_("name on the certificate"), max_length=60, editable=False)
    name_shown_since = models.DateTimeField(_("name shown to anybody since"), null=True, editable=False)
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
        permissions = [("audit_award", "Can take the whole dossier of an award")]
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

    def standing(self, *, on: date) -> AwardStanding:
        """Withdrawn counts before expired; the last day of validity is valid."""
        if self.withdrawn_at is not None:
            return AwardStanding.WITHDRAWN
        if self.expires_on is not None and on > self.expires_on:
            return AwardStanding.EXPIRED
        return AwardStanding.VALID

    @property
    def public_name(self) -> str:
        """The name for anybody's eyes: empty unless the holder agreed."""
        return self.holder_name if self.name_shown_since else ""


class AwardNumber(models.Model):
    """How many awards a county has had in a year: its row is locked to take the next number."""

    year = models.PositiveSmallIntegerField()
    county = models.ForeignKey(Region, models.PROTECT, related_name="+")
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["year", "county"], name="one_count_of_awards_per_year_and_county")
        ]

    def __str__(self) -> str:
        return f"{self.year} {self.county_id}: {self.last}"

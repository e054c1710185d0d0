"""Who is to be looked at again, when rules were evaluated, and what a draft would change."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.models.rules import Rule
from incubator.programmes.models import Participation
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet


class Recheck(models.Model):
    """Something behind today's readings changed for this participation: the next evaluation looks at it again.

    Written by triggers on participations, accounts, flags and works, and where readings of past days are written. No
    relation: a note about a participation that is gone is about nobody, and merging people has nothing to move.
    """

    participation_id = models.BigIntegerField(primary_key=True)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.participation_id)


class RecheckDay(models.Model):
    """Readings of a day were written after it had been evaluated: whoever has a number on it is looked at again."""

    day = models.DateField(primary_key=True)

    def __str__(self) -> str:
        return str(self.day)


class Evaluation(models.Model):
    """One evaluation of the rules that decide on a day: of everybody, or of those for whom something changed."""

    day = models.DateField(_("day"))
    is_complete = models.BooleanField(_("of everybody"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    looked_at = models.PositiveIntegerField(_("looked at"), null=True)
    found = models.PositiveIntegerField(_("new candidates"), default=0)
    ripened = models.PositiveIntegerField(_("held long enough"), default=0)
    lapsed = models.PositiveIntegerField(_("no longer met"), default=0)

    class Meta:
        verbose_name = _("evaluation")
        verbose_name_plural = _("evaluations")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.day)


class Rehearsal(models.Model):
    """A draft evaluated on the real data of a day, against the version that decides now. Saved with the version."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="rehearsals", verbose_name=_("draft"))
    against = models.ForeignKey(
        Rule, models.PROTECT, null=True, related_name="+", verbose_name=_("against the version")
    )
    conditions = models.JSONField(_("conditions"))  # as they were: a draft may change afterwards
    day = models.DateField(_("readings up to"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    meets = models.PositiveIntegerField(_("would meet it"))
    met = models.PositiveIntegerField(_("meet the present version"))
    gains = models.PositiveIntegerField(_("gain"))
    loses = models.PositiveIntegerField(_("lose"))

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.rule} {self.day}"


class RehearsalCountyQuerySet(RegionScopedQuerySet):
    region_path = "county"


class RehearsalCounty(models.Model):
    """What a rehearsal found in one county."""

    rehearsal = models.ForeignKey(Rehearsal, models.CASCADE, related_name="counties")
    county = models.ForeignKey(Region, models.PROTECT, related_name="+", verbose_name=_("county"))
    meets = models.PositiveIntegerField(_("would meet it"))
    met = models.PositiveIntegerField(_("meet the present version"))
    gains = models.PositiveIntegerField(_("gain"))
    loses = models.PositiveIntegerField(_("lose"))

    objects = RehearsalCountyQuerySet.as_manager()

    class Meta:
        verbose_name = _("county of a rehearsal")
        verbose_name_plural = _("counties of rehearsals")
        ordering = ["county"]
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "county"], name="one_row_per_rehearsal_and_county"),
            models.CheckConstraint(
                condition=Q(gains__gt=0) | Q(loses__gt=0) | Q(meets__gt=0) | Q(met__gt=0),
                name="counties_of_a_rehearsal_have_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rehearsal} {self.county}"


class RehearsalPersonQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class RehearsalPerson(models.Model):
    """Somebody who would gain or lose by the draft; up to some thousands are kept by name."""

    rehearsal = models.ForeignKey(Rehearsal, models.CASCADE, related_name="people")
    participation = models.ForeignKey(Participation, models.CASCADE, related_name="+", verbose_name=_("participation"))
    gains = models.BooleanField(_("gains"))

    objects = RehearsalPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("person of a rehearsal")
        verbose_name_plural = _("people of rehearsals")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["rehearsal", "participation"], name="one_row_per_rehearsal_and_person")
        ]

    def __str__(self) -> str:
        return f"{self.rehearsal} {self.participation}"

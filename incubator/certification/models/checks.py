"""What the check of every morning found about awards and candidates."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incubator.regions.scoping import WholeCountryQuerySet


class AwardCheck(models.Model):
    """People who meet a rule without being asked about, and valid awards that nothing proves, on a day.

    ``findings`` names the first of both by their numbers: ``{"eligible": [[trainee's number, rule], …], "unproven":
    [[award's number, code], …]}``.
    """

    day = models.DateField(_("day"), unique=True)
    at = models.DateTimeField(_("at"))
    awards = models.PositiveIntegerField(_("awards decided anew"))
    eligible = models.PositiveIntegerField(_("meet a rule, and are no candidates"))
    unproven = models.PositiveIntegerField(_("awards without evidence"))
    explained = models.PositiveIntegerField(_("differences that are explained"))
    findings = models.JSONField(default=dict, editable=False)

    objects = WholeCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("check of awards")
        verbose_name_plural = _("checks of awards")
        ordering = ["-day"]

    def __str__(self) -> str:
        return str(self.day)

"""A roster import, the rows staged from its workbook, and what was found in them."""

import json
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.common.encryption import EncryptedTextField
from incubator.jobs.models import Job
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from incubator.rosters.choices import ImportState, RowStatus
from trainees.models import Trainee


class RosterImportQuerySet(RegionScopedQuerySet):
    region_path = "region"


class RosterImport(models.Model):
    """One uploaded workbook on its way: uploaded → to be confirmed → applied, or refused with a sentence."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="rosters", verbose_name=_("cohort"))
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only people of this region are taken from the workbook."),
    )
    file = models.FileField(_("workbook"), upload_to="rosters/%Y/%m/")
    file_name = models.CharField(_("file"), max_length=200, editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState, default=ImportState.UPLOADED, editable=False, db_index=True
    )
    error = models.TextField(_("why refused"), blank=True, editable=False)
    title = models.CharField(_("title of the sheet"), max_length=200, blank=True, editable=False)
    filled_by = models.CharField(_("filled in by"), max_length=200, blank=True, editable=False)
    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    matched_count = models.PositiveIntegerField(_("known already"), default=0, editable=False)
    wrong_count = models.PositiveIntegerField(_("wrong"), default=0, editable=False)
    skipped_count = models.PositiveIntegerField(_("skipped"), default=0, editable=False)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, editable=False, related_name="+")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"), auto_now_add=True)
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("confirmed by"),
    )
    applied_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)

    objects = RosterImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("roster import")
        verbose_name_plural = _("roster imports")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state=ImportState.REFUSED) | ~Q(error=""), name="refused_rosters_say_why"
            ),
            models.CheckConstraint(
                condition=~Q(state=ImportState.APPLIED) | Q(wrong_count=0, applied_by__isnull=False),
                name="applied_rosters_have_no_wrong_row",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def row_count(self) -> int:
        return self.new_count + self.matched_count + self.wrong_count + self.skipped_count

    @property
    def can_be_applied(self) -> bool:
        return self.state == ImportState.CHECKED and not self.wrong_count and bool(self.new_count + self.matched_count)


class RosterRow(models.Model):
    """A row of the sheet. ``values`` (encrypted JSON) is what will be written; nothing personal stands in clear."""

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("row"))
    status = models.CharField(_("status"), max_length=10, choices=RowStatus)
    values = EncryptedTextField()
    trainee = models.ForeignKey(Trainee, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("roster row")
        verbose_name_plural = _("roster rows")
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["roster", "number"], name="one_row_per_roster_and_number")]

    def __str__(self) -> str:
        return f"{self.roster} {self.number}"

    @property
    def plain(self) -> dict[str, Any]:
        """The values as a dictionary; keys are those of ``checking.Person``."""
        return json.loads(str(self.values))


class RosterFinding(models.Model):
    """What is wrong (or worth a look) in one cell: row, column as the sheet calls it, value (masked), sentence."""

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="findings")
    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=60, blank=True)
    value = models.CharField(_("value"), max_length=100, blank=True)
    sentence = models.CharField(_("what to do"), max_length=300)
    is_error = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        ordering = ["-is_error", "row", "pk"]

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.sentence}"

"""A roster import, the rows staged from its workbook, and what was found in them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incubator.imports.choices import ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow, no_wrong_row_q, says_why_q
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from incubator.rosters.choices import Column, RowStatus
from trainees.models import Trainee


class RosterImportQuerySet(RegionScopedQuerySet):
    region_path = "region"


class RosterImport(StagedImport):
    """A roster on its way."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="rosters", verbose_name=_("cohort"))
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only people of this region are taken from the workbook."),
    )
    file = models.FileField(_("workbook"), upload_to="rosters/%Y/%m/")
    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    matched_count = models.PositiveIntegerField(_("known already"), default=0, editable=False)

    sheet = models.CharField(_("sheet"), max_length=100, blank=True, editable=False)  # that somebody chose
    outline = models.JSONField(default=dict, editable=False)  # how the sheet was understood: ``reading.outline_of``

    objects = RosterImportQuerySet.as_manager()

    class Meta(StagedImport.Meta):
        verbose_name = _("roster import")
        verbose_name_plural = _("roster imports")
        constraints = [
            models.CheckConstraint(condition=says_why_q(), name="refused_rosters_say_why"),
            models.CheckConstraint(condition=no_wrong_row_q(), name="applied_rosters_have_no_wrong_row"),
        ]

    @property
    def row_count(self) -> int:
        return self.new_count + self.matched_count + self.wrong_count + self.skipped_count

    @property
    def can_be_applied(self) -> bool:
        return self.state == ImportState.CHECKED and not self.wrong_count and bool(self.new_count + self.matched_count)


class RosterRow(StagedRow):
    """A person of the roster; the keys of ``plain`` are those of ``checking.Person``."""

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="rows")
    status = models.CharField(_("status"), max_length=10, choices=RowStatus)
    trainee = models.ForeignKey(Trainee, models.SET_NULL, null=True, related_name="+")

    class Meta(StagedRow.Meta):
        verbose_name = _("roster row")
        verbose_name_plural = _("roster rows")
        constraints = [models.UniqueConstraint(fields=["roster", "number"], name="one_row_per_roster_and_number")]

    def __str__(self) -> str:
        return f"{self.roster} {self.number}"


class RosterFinding(StagedFinding):
    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="findings")


class ColumnMapping(models.Model):
    """What somebody said a header means in the workbooks of a region; it is remembered for the next ones."""

    region = models.ForeignKey(Region, models.CASCADE, related_name="+", verbose_name=_("region"))
    header = models.CharField(_("header"), max_length=60)  # as ``workbooks.Header.key``
    column = models.CharField(_("column"), max_length=20, choices=Column, blank=True)  # "": it is not used
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now=True)

    objects = RosterImportQuerySet.as_manager()

    class Meta:
        verbose_name = _("meaning of a header")
        verbose_name_plural = _("meanings of headers")
        constraints = [
            models.UniqueConstraint(fields=["region", "header"], name="one_meaning_per_region_and_header"),
        ]

    def __str__(self) -> str:
        return f"{self.header} → {self.get_column_display() or '-'}"

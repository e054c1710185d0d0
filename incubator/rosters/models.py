"""A roster import, the rows staged from its workbook, and what was found in them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incubator.imports.choices import ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow, no_wrong_row_q, says_why_q
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from incubator.rosters.choices import RowStatus
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
    corrects = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="corrected_by",
        verbose_name=_("corrects"),
        help_text=_("The import whose workbook this one is, with its findings seen to."),
    )
    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    matched_count = models.PositiveIntegerField(_("known already"), default=0, editable=False)

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

"""A figures import, the rows staged from its workbook, and what was found in them."""

import json
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from incubator.common.encryption import EncryptedTextField
from incubator.common.sealed_files import SealedFileField
from incubator.figures.choices import RowStatus
from incubator.imports.choices import ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow, no_wrong_row_q, says_why_q
from incubator.metrics.models import CreatorAccount
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet


class FiguresImportQuerySet(RegionScopedQuerySet):
    region_path = "region"


class FiguresImport(StagedImport):
    """A workbook of follower counts on its way, for accounts that the platform does not tell about."""

    region = models.ForeignKey(
        Region,
        models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only accounts of people of this region are taken from the workbook."),
    )
    day = models.DateField(
        _("day of the figures"),
        null=True,
        blank=True,
        help_text=_("For rows without a date, when the sheet does not name the day above its header."),
    )
    file = SealedFileField(_("workbook"), upload_to="figures/%Y/%m/")
    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    corrected_count = models.PositiveIntegerField(_("corrects an earlier file"), default=0, editable=False)
    doubtful_count = models.PositiveIntegerField(_("will be held back"), default=0, editable=False)
    held_count = models.PositiveIntegerField(_("held back already"), default=0, editable=False)
    same_count = models.PositiveIntegerField(_("known already"), default=0, editable=False)
    kept_count = models.PositiveIntegerField(_("kept, not overwritten"), default=0, editable=False)
    written_count = models.PositiveIntegerField(_("written"), null=True, editable=False)
    quarantined_count = models.PositiveIntegerField(_("held back"), null=True, editable=False)

    objects = FiguresImportQuerySet.as_manager()

    class Meta(StagedImport.Meta):
        verbose_name = _("figures import")
        verbose_name_plural = _("figures imports")
        constraints = [
            models.CheckConstraint(condition=says_why_q(), name="refused_figures_say_why"),
            models.CheckConstraint(condition=no_wrong_row_q(), name="applied_figures_have_no_wrong_row"),
        ]

    @property
    def to_write_count(self) -> int:
        return self.new_count + self.corrected_count + self.doubtful_count

    @property
    def row_count(self) -> int:
        left_out = self.held_count + self.same_count + self.kept_count
        return self.to_write_count + left_out + self.wrong_count + self.skipped_count

    @property
    def can_be_applied(self) -> bool:
        return self.state == ImportState.CHECKED and not self.wrong_count and bool(self.to_write_count)


class FiguresRow(StagedRow):
    """One account's count on one day; ``values`` is encrypted JSON with the keys of ``checking.Figure``."""

    values = EncryptedTextField()
    figures = models.ForeignKey(FiguresImport, models.CASCADE, related_name="rows")
    status = models.CharField(_("status"), max_length=10, choices=RowStatus)
    account = models.ForeignKey(CreatorAccount, models.SET_NULL, null=True, related_name="+")

    class Meta(StagedRow.Meta):
        verbose_name = _("figures row")
        verbose_name_plural = _("figures rows")
        constraints = [models.UniqueConstraint(fields=["figures", "number"], name="one_row_per_figures_and_number")]

    def __str__(self) -> str:
        return f"{self.figures} {self.number}"

    @property
    def plain(self) -> dict[str, Any]:
        """The values as a dictionary."""
        return json.loads(str(self.values))


class FiguresFinding(StagedFinding):
    figures = models.ForeignKey(FiguresImport, models.CASCADE, related_name="findings")

"""Imports of attendance and of online learning, the rows staged from their workbooks, and what was found in them."""

import json
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.models import TrainingClass
from courses.models.scoping import ClassScopedQuerySet
from incubator.classbooks.choices import RowStatus
from incubator.common.encryption import EncryptedTextField
from incubator.common.sealed_files import SealedFileField
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow, says_why_q
from incubator.programmes.models import Cohort, Participation
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet


class ClassbookImport(StagedImport):
    """What both kinds have: a count for each status of their rows, which exclude each other and add up to the rows of
    the sheet. ``written_count`` counts what was written: marks, or records.
    """

    new_count = models.PositiveIntegerField(_("new"), default=0, editable=False)
    corrected_count = models.PositiveIntegerField(_("changes what is known"), default=0, editable=False)
    same_count = models.PositiveIntegerField(_("known already"), default=0, editable=False)
    written_count = models.PositiveIntegerField(_("written"), null=True, editable=False)
    is_partial = models.BooleanField(_("without its wrong rows"), default=False, editable=False)

    class Meta(StagedImport.Meta):
        abstract = True

    @property
    def to_write_count(self) -> int:
        return self.new_count + self.corrected_count

    @property
    def row_count(self) -> int:
        return self.to_write_count + self.same_count + self.wrong_count + self.skipped_count

    @property
    def can_be_applied(self) -> bool:
        """Whole, that is; with wrong rows only by choice: ``can_be_applied_in_part``."""
        return self.state in TO_CONFIRM and not self.wrong_count and bool(self.to_write_count)

    @property
    def can_be_applied_in_part(self) -> bool:
        return self.state in TO_CONFIRM and bool(self.wrong_count) and bool(self.to_write_count)


def by_choice_q() -> Q:
    """An applied import has somebody who confirmed it, and wrong rows only where that person left them out."""
    return ~Q(state=ImportState.APPLIED) | Q(applied_by__isnull=False) & (Q(wrong_count=0) | Q(is_partial=True))


class ClassbookRow(StagedRow):
    """A row as it will be written; ``values`` is encrypted JSON with the keys of what the room's checks make of it."""

    values = EncryptedTextField()
    status = models.CharField(_("status"), max_length=10, choices=RowStatus)
    participation = models.ForeignKey(Participation, models.SET_NULL, null=True, related_name="+")

    class Meta(StagedRow.Meta):
        abstract = True

    @property
    def plain(self) -> dict[str, Any]:
        """The values as a dictionary."""
        return json.loads(str(self.values))


# --- Attendance -------------------------------------------------------------------------------------------------------


class AttendanceImportQuerySet(ClassScopedQuerySet):
    region_path = "training_class__region"
    class_path = "training_class"


class AttendanceImport(ClassbookImport):
    """The attendance workbook of one class on its way."""

    training_class = models.ForeignKey(
        TrainingClass, models.PROTECT, related_name="attendance_imports", verbose_name=_("class")
    )
    reason = models.CharField(
        _("why marks are corrected"),
        max_length=200,
        blank=True,
        help_text=_("Needed only where the workbook says otherwise than marks that are made already."),
    )
    file = SealedFileField(_("workbook"), upload_to="attendance/%Y/%m/")

    objects = AttendanceImportQuerySet.as_manager()

    class Meta(ClassbookImport.Meta):
        verbose_name = _("attendance import")
        verbose_name_plural = _("attendance imports")
        constraints = [
            models.CheckConstraint(condition=says_why_q(), name="refused_attendance_says_why"),
            models.CheckConstraint(condition=by_choice_q(), name="attendance_with_wrong_rows_is_applied_by_choice"),
        ]


class AttendanceImportRow(ClassbookRow):
    """One person's marks, or one mark."""

    attendance = models.ForeignKey(AttendanceImport, models.CASCADE, related_name="rows", db_index=False)

    class Meta(ClassbookRow.Meta):
        verbose_name = _("attendance row")
        verbose_name_plural = _("attendance rows")
        constraints = [
            models.UniqueConstraint(fields=["attendance", "number"], name="one_row_per_attendance_import_and_number")
        ]

    def __str__(self) -> str:
        return f"{self.attendance} {self.number}"


class AttendanceFinding(StagedFinding):
    attendance = models.ForeignKey(AttendanceImport, models.CASCADE, related_name="findings")


# --- Online learning --------------------------------------------------------------------------------------------------


class LearningImportQuerySet(RegionScopedQuerySet):
    region_path = "region"


class LearningImport(ClassbookImport):
    """A file that a learning platform exported, on its way, for people of one cohort and region."""

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="+", verbose_name=_("cohort"))
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only people of this region are taken from the workbook."),
    )
    file = SealedFileField(_("workbook"), upload_to="learning/%Y/%m/")

    objects = LearningImportQuerySet.as_manager()

    class Meta(ClassbookImport.Meta):
        verbose_name = _("online learning import")
        verbose_name_plural = _("online learning imports")
        constraints = [
            models.CheckConstraint(condition=says_why_q(), name="refused_learning_says_why"),
            models.CheckConstraint(condition=by_choice_q(), name="learning_with_wrong_rows_is_applied_by_choice"),
        ]


class LearningImportRow(ClassbookRow):
    """One course that one person finished."""

    learning = models.ForeignKey(LearningImport, models.CASCADE, related_name="rows", db_index=False)

    class Meta(ClassbookRow.Meta):
        verbose_name = _("online learning row")
        verbose_name_plural = _("online learning rows")
        constraints = [
            models.UniqueConstraint(fields=["learning", "number"], name="one_row_per_learning_import_and_number")
        ]

    def __str__(self) -> str:
        return f"{self.learning} {self.number}"


class LearningFinding(StagedFinding):
    learning = models.ForeignKey(LearningImport, models.CASCADE, related_name="findings")

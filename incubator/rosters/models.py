"""A roster import, the rows staged from its workbook, what was found in them, and what people decided about them."""

import json
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.common.encryption import EncryptedTextField, decrypt
from incubator.common.sealed_files import SealedFileField
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.imports.models import StagedFinding, StagedImport, StagedRow, says_why_q
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScopedQuerySet
from incubator.rosters.choices import Column, Decision, RowStatus
from trainees.choices import LookAlike
from trainees.models import Trainee

ID_NUMBER, PHONE = "trainees_trainee.id_number", "trainees_trainee.phone"  # where staged ciphertext will lie


class RosterImportQuerySet(RegionScopedQuerySet):
    region_path = "region"


class RosterImport(StagedImport):
    """A roster on its way.

    ``changed_count`` are those of the matched whose data will change, ``doubtful_count`` those of the new who look like
    somebody and about whom nobody has decided; the other counts exclude each other and add up to the file's rows.
    """

    cohort = models.ForeignKey(Cohort, models.PROTECT, related_name="rosters", verbose_name=_("cohort"))
    region = models.ForeignKey(
        Region,
        models.PROTECT,
        related_name="+",
        verbose_name=_("region"),
        help_text=_("Only people of this region are taken from the workbook."),
    )
    file = SealedFileField(_("workbook"), upload_to="rosters/%Y/%m/")
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
    changed_count = models.PositiveIntegerField(_("to be changed"), default=0, editable=False)
    doubtful_count = models.PositiveIntegerField(_("doubtful"), default=0, editable=False)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("checked for"),
        help_text=_("Whose region the people were looked up in."),
    )
    checked_on = models.DateField(_("checked on"), null=True, editable=False)
    conditions = models.JSONField(default=dict, editable=False)  # of the cohort, as they were when it was checked
    headers = models.JSONField(default=dict, editable=False)  # what the sheet calls each column
    is_partial = models.BooleanField(_("without its wrong rows"), default=False, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("undone by"),
    )
    undone_at = models.DateTimeField(_("undone at"), null=True, editable=False)

    sheet = models.CharField(_("sheet"), max_length=100, blank=True, editable=False)  # that somebody chose
    outline = models.JSONField(default=dict, editable=False)  # how the sheet was understood: ``reading.outline_of``

    objects = RosterImportQuerySet.as_manager()

    class Meta(StagedImport.Meta):
        verbose_name = _("roster import")
        verbose_name_plural = _("roster imports")
        constraints = [
            models.CheckConstraint(condition=says_why_q(), name="refused_rosters_say_why"),
            models.CheckConstraint(
                condition=~Q(state__in=(ImportState.APPLIED, ImportState.UNDONE)) | Q(applied_by__isnull=False),
                name="applied_rosters_say_who_applied_them",
            ),
            models.CheckConstraint(
                condition=~Q(state=ImportState.APPLIED) | Q(wrong_count=0) | Q(is_partial=True),
                name="rosters_with_wrong_rows_are_applied_by_choice",
            ),
            models.CheckConstraint(
                condition=~Q(state=ImportState.UNDONE) | Q(undone_by__isnull=False, undone_at__isnull=False),
                name="undone_rosters_say_who_and_when",
            ),
        ]
        indexes = [models.Index(fields=["sha256"], name="roster_sha256")]

    @property
    def row_count(self) -> int:
        return self.new_count + self.matched_count + self.wrong_count + self.skipped_count

    @property
    def good_count(self) -> int:
        return self.new_count + self.matched_count

    @property
    def can_be_applied(self) -> bool:
        """Whole, that is; with wrong rows only by choice: ``can_be_applied_in_part``."""
        return self.state in TO_CONFIRM and not self.wrong_count and bool(self.good_count)

    @property
    def can_be_applied_in_part(self) -> bool:
        return self.state in TO_CONFIRM and bool(self.wrong_count) and bool(self.good_count)


class RosterMove(models.Model):
    """One change of an import's state: from, to, who, when. Never changed."""

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="moves")
    before = models.CharField(_("before"), max_length=10, choices=ImportState)
    after = models.CharField(_("after"), max_length=10, choices=ImportState)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("change of state")
        verbose_name_plural = _("changes of state")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"


class RosterRow(StagedRow):
    """A row of the sheet: the person in it as they will be written, or why not.

    ID number and phone are ciphertext for the person's own row, whose key ``sealed_for`` is reserved beforehand, as are
    those of the participation and the account: so that whatever is written is copied from here by one statement, and
    what this import made is known by its keys. ``trainee`` is who they are: of the new ones the reserved key, nobody's
    yet.
    """

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="rows", db_index=False)
    status = models.CharField(_("status"), max_length=10, choices=RowStatus)
    reason = models.CharField(_("why skipped"), max_length=200, blank=True, db_default="")
    is_bad = models.BooleanField(default=False)  # wrong by itself, whoever is known
    is_repeat = models.BooleanField(default=False, db_default=False)  # the person stands in an earlier row

    name = models.CharField(pgettext_lazy("person", "name"), max_length=60, blank=True, db_default="")
    initials = models.CharField(max_length=20, blank=True, db_default="")
    sex = models.CharField(max_length=10, blank=True, db_default="")
    born_on = models.DateField(null=True)
    county = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_index=False, db_constraint=False)
    township = models.CharField(max_length=60, blank=True, db_default="")
    background = models.CharField(max_length=10, blank=True, db_default="")  # "" where the sheet says nothing
    education = models.CharField(max_length=30, blank=True, db_default="")
    handle = models.CharField(max_length=60, blank=True, db_default="")
    trainee_number = models.CharField(max_length=20, blank=True, db_default="")
    id_number = models.BinaryField(null=True)
    id_number_index = models.BinaryField(max_length=32, null=True)
    phone = models.BinaryField(null=True)
    phone_index = models.BinaryField(max_length=32, null=True)
    cells = EncryptedTextField(null=True)  # of a wrong row: its cells as they are written, as JSON by column

    sealed_for = models.BigIntegerField(null=True)
    participation_key = models.BigIntegerField(null=True)
    account_key = models.BigIntegerField(null=True)
    trainee = models.ForeignKey(Trainee, models.SET_NULL, null=True, related_name="+", db_constraint=False)

    looks_like = models.ForeignKey(
        Trainee, models.SET_NULL, null=True, related_name="+", db_index=False, db_constraint=False
    )
    why = models.CharField(max_length=10, choices=LookAlike, blank=True, db_default="")
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True, db_default="")
    decided_about = models.BigIntegerField(null=True)  # the trainee; about another one nothing is decided
    changes = ArrayField(
        models.CharField(max_length=20), default=list, db_default=[]
    )  # columns of the trainee that will be changed
    was = models.UUIDField(null=True)  # ``bulk.fingerprint`` of the trainee when it was matched
    before = EncryptedTextField(null=True)  # of a trainee to be changed: the columns as they are, as JSON
    id_number_anew = models.BinaryField(null=True)  # the two again, for the row of the trainee to be changed
    phone_anew = models.BinaryField(null=True)

    class Meta(StagedRow.Meta):
        verbose_name = _("roster row")
        verbose_name_plural = _("roster rows")
        constraints = [models.UniqueConstraint(fields=["roster", "number"], name="one_row_per_roster_and_number")]

    def __str__(self) -> str:
        return f"{self.roster} {self.number}"

    @property
    def plain_id_number(self) -> str:
        return decrypt(bytes(self.id_number), context=ID_NUMBER, row=self.sealed_for) if self.id_number else ""

    @property
    def plain_phone(self) -> str:
        return decrypt(bytes(self.phone), context=PHONE, row=self.sealed_for) if self.phone else ""

    @property
    def plain_cells(self) -> dict[str, str]:
        """A wrong row's cells as they are written, by column; none of others."""
        return json.loads(str(self.cells)) if self.cells else {}

    @property
    def plain_before(self) -> dict[str, Any]:
        """What the columns of a trainee to be changed are, by name; ISO dates, hexadecimal indexes."""
        return json.loads(str(self.before)) if self.before else {}

    @property
    def is_doubtful(self) -> bool:
        return self.status == RowStatus.NEW and self.looks_like_id is not None and not self.decision


class RosterFinding(StagedFinding):
    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="findings", db_index=False)
    is_of_matching = models.BooleanField(default=False)  # found by looking at others, not at the row alone

    class Meta(StagedFinding.Meta):
        indexes = [models.Index(fields=["roster", "row"], name="roster_finding_row")]


class RosterCorrection(models.Model):
    """What somebody wrote or decided in the desk about one row of a file. It outlasts checking the file again."""

    roster = models.ForeignKey(RosterImport, models.CASCADE, related_name="corrections", db_index=False)
    number = models.PositiveIntegerField(_("row"))
    cells = EncryptedTextField(null=True)  # in place of the file's, as JSON by column
    left_out = models.CharField(_("why left out"), max_length=200, blank=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True)
    decided_about = models.BigIntegerField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now=True)

    class Meta:
        verbose_name = _("correction of a roster row")
        verbose_name_plural = _("corrections of roster rows")
        constraints = [models.UniqueConstraint(fields=["roster", "number"], name="one_correction_per_roster_and_row")]

    def __str__(self) -> str:
        return f"{self.roster} {self.number}"

    @property
    def texts(self) -> dict[str, str]:
        """The row's cells as somebody wrote them, by column."""
        return json.loads(str(self.cells)) if self.cells else {}


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

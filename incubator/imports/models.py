"""Abstract models of a staged import: the import, the rows staged from its workbook, what was found in them."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.imports.choices import ON_THE_WAY, ImportState
from incubator.jobs.models import Job


class StagedImport(models.Model):
    """One uploaded workbook on its way: uploaded → being read → checked or in review → applied; or refused, or failed,
    each with a sentence in ``error``; an applied one may be undone.

    A concrete import adds its region, its ``file`` and a count for each status of its rows.
    """

    file: models.FileField
    file_name = models.CharField(_("file"), max_length=200, editable=False)
    sha256 = models.CharField(_("SHA-256"), max_length=64, editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ImportState, default=ImportState.UPLOADED, editable=False, db_index=True
    )
    error = models.TextField(_("why refused"), blank=True, editable=False)
    title = models.CharField(_("title of the sheet"), max_length=200, blank=True, editable=False)
    filled_by = models.CharField(_("filled in by"), max_length=200, blank=True, editable=False)
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

    class Meta:
        abstract = True
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_under_way(self) -> bool:
        """Whether a worker has it, or is to have it. Read with the job."""
        return self.state in ON_THE_WAY or (self.job is not None and self.job.is_live)


def says_why_q() -> Q:
    """A refused import and a failed one have a sentence."""
    return ~Q(state__in=(ImportState.REFUSED, ImportState.FAILED)) | ~Q(error="")


def no_wrong_row_q() -> Q:
    """An applied import has no wrong row and somebody who confirmed it."""
    return ~Q(state=ImportState.APPLIED) | Q(wrong_count=0, applied_by__isnull=False)


class StagedRow(models.Model):
    """A row of the sheet as it will be written. A room adds what that is; nothing personal stands in clear."""

    number = models.PositiveIntegerField(_("row"))

    class Meta:
        abstract = True
        ordering = ["number"]


class StagedFinding(models.Model):
    """What is wrong (or worth a look) in one cell: row, column as the sheet calls it, value (masked), sentence."""

    row = models.PositiveIntegerField(_("row"))
    column = models.CharField(_("column"), max_length=60, blank=True)
    value = models.CharField(_("value"), max_length=100, blank=True)
    sentence = models.CharField(_("what to do"), max_length=300)
    is_error = models.BooleanField(default=True)

    class Meta:
        abstract = True
        ordering = ["-is_error", "row", "pk"]
        verbose_name = _("finding")
        verbose_name_plural = _("findings")

    def __str__(self) -> str:
        return f"{self.row} {self.column}: {self.sentence}"

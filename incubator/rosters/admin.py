"""The staff desk's pages of this room: upload a roster, look at what is in it, write it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.common.desk import Section, adopt, extend_desk
from incubator.common.masking import mask_id_number, mask_phone
from incubator.imports.admin import (
    Count,
    Line,
    counts,
    findings,
    import_moves,
    page_of_rows,
    preview,
    progress,
)
from incubator.imports.choices import ImportState
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.rosters.choices import RowStatus
from incubator.rosters.files import CORRECTION, RosterFiles, marked_section, template_section
from incubator.rosters.models import RosterImport, RosterRow
from incubator.rosters.services import apply_roster, discard_roster, recheck_roster, upload_roster
from incubator.rosters.template import blank_roster

HEADINGS = [
    _("row"),
    _("status"),
    pgettext_lazy("person", "name"),
    _("ID number"),
    _("phone"),
    _("county"),
    _("township"),
    _("account number"),
]


def _counts(request: HttpRequest, roster: RosterImport) -> Section | None:
    numbers = [
        Count(_("new"), roster.new_count),
        Count(_("known already"), roster.matched_count),
        Count(_("wrong"), roster.wrong_count, is_bad=True),
        Count(_("skipped (totals, notes)"), roster.skipped_count),
    ]
    ready = _("Everything is in order. Look at the people below and confirm; until then nothing is written.")
    return counts(roster, numbers, [ready] if roster.state == ImportState.CHECKED else [])


def _rows(request: HttpRequest, roster: RosterImport) -> Section | None:
    """The people, a page at a time, personal values masked."""
    page = page_of_rows(request, RosterRow.objects.filter(roster=roster))
    names = dict(Region.objects.filter(code__in={row.plain["county"] for row in page}).values_list("code", "name"))
    lines = [Line(_shown(row, names), row.status == RowStatus.WRONG) for row in page]
    return preview(_("People in the workbook"), HEADINGS, lines, page)


def _shown(row: RosterRow, names: dict[str, str]) -> list[Any]:
    plain = row.plain
    return [
        row.number,
        row.get_status_display(),
        plain["name"],
        mask_id_number(plain["id_number"]),
        mask_phone(plain["phone"]),
        names.get(plain["county"], "-"),
        plain["township"],
        plain["handle"],
    ]


def _apply(roster: RosterImport, by: Any) -> None:
    apply_roster(roster, by=by, on=timezone.localdate())


@admin.register(RosterImport)
class RosterImportAdmin(RosterFiles):
    list_display = ["file_name", "region", "cohort", "state_label", "new_count", "matched_count", "wrong_count", "at"]
    list_filter = ["state", "cohort", "region"]
    list_select_related = ["region", "cohort__programme", "uploaded_by", "job", "corrects"]
    search_fields = ["file_name", "filled_by"]
    autocomplete_fields = ["region"]
    asked = ["cohort", "region", "file"]
    shown = [("cohort", "region")]
    hint = _("Add a county's roster workbook; it is checked row by row and nothing is written before you confirm.")
    blank = staticmethod(blank_roster)
    blank_name = "学员报名表.xlsx"
    sections = [progress, _counts, marked_section, findings, _rows]
    moves = [
        *import_moves(_("Write these people"), apply=_apply, recheck=recheck_roster, discard=discard_roster),
        CORRECTION,
    ]

    def save_model(self, request: HttpRequest, obj: RosterImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        written = upload_roster(file, cohort=obj.cohort, region=obj.region, by=request.user, name=file.name)
        adopt(obj, written)


extend_desk(Cohort, sections=[template_section])

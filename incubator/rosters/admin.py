"""The staff desk's pages of this room: upload a roster, look at what is in it, put rows right, write it, undo it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from incubator.common.dates import moment
from incubator.common.desk import Move, NoQuestions, Part, Section, adopt, extend_desk, link_to, table
from incubator.imports.admin import Count, counts, findings, import_moves, progress
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.programmes.models import Cohort
from incubator.rosters.admin_mapping import RosterColumns, columns_section
from incubator.rosters.files import CORRECTION, RosterFiles, marked_section, template_section
from incubator.rosters.models import RosterImport, RosterRow
from incubator.rosters.rows_desk import RosterRows, rows_section
from incubator.rosters.services import (
    ask_to_apply,
    ask_to_undo,
    discard_roster,
    recheck_roster,
    upload_roster,
)
from incubator.rosters.template import blank_roster
from incubator.rosters.undoing import holds
from trainees.models import Trainee

IN_PART = "in_part"  # rows are wrong, and the others can be written
FEW = 2_000  # rows of an import for which it is looked at once whether it can be undone


def _counts(request: HttpRequest, roster: RosterImport) -> Section | None:
    if roster.is_under_way:
        return None
    numbers = [
        Count(_("new"), roster.new_count),
        Count(_("known already"), roster.matched_count),
        Count(_("to be changed"), roster.changed_count),
        Count(_("doubtful"), roster.doubtful_count),
        Count(_("wrong"), roster.wrong_count, is_bad=True),
        Count(_("skipped (totals, notes)"), roster.skipped_count),
    ]
    return counts(roster, numbers, _sentences(roster))


def _sentences(roster: RosterImport) -> list[str]:
    """What can be done now, or what was done."""
    said = []
    if roster.state == ImportState.APPLIED and roster.is_partial:
        sentence = ngettext(
            "%(count)s wrong row was left out.", "%(count)s wrong rows were left out.", roster.wrong_count
        )
        said.append(sentence % {"count": f"{roster.wrong_count:,}"})
    if roster.state not in TO_CONFIRM:
        return said
    if roster.wrong_count:
        said.append(
            _(
                "Put the wrong rows right here or in the workbook, leave them out, or write the good rows only. "
                "Until you confirm nothing is written."
            )
        )
    else:
        said.append(_("Everything is in order. Look at the people below and confirm; until then nothing is written."))
    if roster.doubtful_count:
        said.append(
            _(
                "Doubtful people look like somebody who is known. Say in their rows whether they are the same person; "
                "those about whom nobody says anything are entered as new, and asked about afterwards."
            )
        )
    return said


def _same_file(request: HttpRequest, roster: RosterImport) -> Section | None:
    """Whether this very file was written before; only as far as this person may see."""
    if not roster.sha256 or roster.state not in TO_CONFIRM:
        return None
    same = RosterImport.objects.visible_to(request.user).filter(
        sha256=roster.sha256, state=ImportState.APPLIED, cohort=roster.cohort_id
    )
    earlier = same.exclude(pk=roster.pk).select_related("applied_by").order_by("-applied_at").first()
    if earlier is None:
        return None
    sentence = _("This file was written on %(day)s by %(who)s. Writing it again changes nothing that is the same.")
    facts = {"day": date_format(timezone.localtime(earlier.applied_at)), "who": earlier.applied_by}
    url = reverse("admin:rosters_rosterimport_change", args=[earlier.pk])
    html = format_html('<p>{} <a class="desk-link" href="{}">{}</a></p>', sentence % facts, url, _("That import"))
    return Section(_("The same file again"), html)


def _holds(request: HttpRequest, roster: RosterImport) -> Section | None:
    """What keeps a written import from being undone; of a long one when it is asked for."""
    if roster.state != ImportState.APPLIED or roster.is_under_way:
        return None
    if roster.row_count > FEW and "holds" not in request.GET:
        link = format_html('<a class="desk-link" href="?holds=1">{}</a>', _("Look whether it can be undone"))
        return Section(_("Undoing"), link)
    held = [(hold.row, hold.name, hold.what) for hold in holds(roster)]
    headings = [_("row"), _("name"), _("what holds it")]
    return table(_("What keeps it from being undone"), headings, held, empty=_("Nothing: it can be undone."))


def _history(request: HttpRequest, roster: RosterImport) -> Section | None:
    moves = roster.moves.select_related("by")  # type: ignore[attr-defined]
    rows = [(moment(move.at), str(move), move.by or "-") for move in moves]
    return table(_("Changes of state"), [_("at"), _("change"), _("by")], rows) if rows else None


# --- Moves ------------------------------------------------------------------------------------------------------------


class Sure(NoQuestions):
    """Asks for a tick, so that one click too many does nothing."""

    is_sure = forms.BooleanField(label=gettext_lazy("I have looked at it"))


def _apply(roster: RosterImport, by: Any) -> None:
    ask_to_apply(roster, by=by, on=timezone.localdate())


def _apply_good(roster: RosterImport, by: Any, is_sure: bool) -> None:
    ask_to_apply(roster, by=by, on=timezone.localdate(), is_partial=True)


def _undo(roster: RosterImport, by: Any, is_sure: bool) -> None:
    ask_to_undo(roster, by=by)


def _readiness(roster: RosterImport) -> str:
    if roster.is_under_way:
        return ""
    return IN_PART if roster.can_be_applied_in_part else roster.state


MOVES = [
    *import_moves(gettext_lazy("Write these people"), apply=_apply, recheck=recheck_roster, discard=discard_roster),
    Move("apply_good", gettext_lazy("Write the good rows"), _apply_good, Sure, states=[IN_PART], state_of=_readiness),
    Move("undo", gettext_lazy("Undo"), _undo, Sure, states=[ImportState.APPLIED], state_of=_readiness),
]


@admin.register(RosterImport)
class RosterImportAdmin(RosterRows, RosterColumns, RosterFiles):
    list_display = [
        "file_name", "region", "cohort", "state_label", "new_count", "matched_count", "changed_count",
        "doubtful_count", "wrong_count", "at",
    ]  # fmt: skip
    list_filter = ["state", "cohort", "region"]
    list_select_related = [
        "region", "cohort__programme", "uploaded_by", "applied_by", "undone_by", "job", "corrects",
    ]  # fmt: skip
    search_fields = ["file_name", "filled_by"]
    autocomplete_fields = ["region"]
    asked = ["cohort", "region", "file"]
    shown = [("cohort", "region"), "sha256"]
    hint = gettext_lazy(
        "Add a county's roster workbook; it is checked row by row and nothing is written before you confirm."
    )
    blank = staticmethod(blank_roster)
    blank_name = "学员报名表.xlsx"
    sections = [
        progress, _counts, columns_section, _same_file, _holds, marked_section, findings, rows_section, _history,
    ]  # fmt: skip
    moves = [*MOVES, CORRECTION]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and obj.undone_by_id:
            fieldsets[0][1]["fields"].append(("undone_by", "undone_at"))
        return fieldsets

    def save_model(self, request: HttpRequest, obj: RosterImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        written = upload_roster(file, cohort=obj.cohort, region=obj.region, by=request.user, name=file.name)
        adopt(obj, written)


# --- Added to a trainee's pages ---------------------------------------------------------------------------------------


def _rosters_of(request: HttpRequest, trainee: Trainee) -> Section | None:
    """The rows of workbooks that named somebody, as far as their imports may be seen."""
    if not request.user.has_perm("rosters.view_rosterimport"):
        return None
    own = RosterImport.objects.visible_to(request.user)
    found = (
        RosterRow.objects.filter(trainee=trainee, roster__in=own).defer("cells", "before").order_by("-roster", "number")
    )
    part = Part.of(found.select_related("roster__cohort__programme", "roster__uploaded_by"))
    rows = [
        (
            link_to(row.roster, row.roster.file_name),
            row.number,
            row.get_status_display(),
            row.roster.get_state_display(),
            row.roster.cohort,
            row.roster.uploaded_by,
            timezone.localtime(row.roster.uploaded_at).date(),
        )
        for row in part.rows
    ]
    headings = [_("file"), _("row"), _("status"), _("state of the import"), _("cohort"), _("uploaded by"), _("on")]
    empty = _("No roster in the system names this person.")
    return table(_("Rosters"), headings, rows, empty=empty, note=part.count)


extend_desk(Trainee, sections=[_rosters_of])
extend_desk(Cohort, sections=[template_section])

"""The staff desk's pages of this room: upload a roster, look at what is in it, write it."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import Move, ScopedAdmin, Section, adopt, table
from incubator.common.masking import mask_id_number, mask_phone
from incubator.regions.models import Region
from incubator.rosters.choices import MOVES, ImportState, RowStatus
from incubator.rosters.models import RosterFinding, RosterImport, RosterRow
from incubator.rosters.services import apply_roster, discard_roster, recheck_roster, upload_roster
from incubator.rosters.template import blank_roster

ROWS_A_PAGE = 50
FINDINGS_SHOWN = 200
STATE_COLOURS = {
    ImportState.CHECKED: "info",
    ImportState.APPLIED: "success",
    ImportState.REFUSED: "danger",
}
READY = "ready"  # to be confirmed, and nothing wrong
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def states_before(after: ImportState) -> list[str]:
    return [before for before, allowed in MOVES.items() if after in allowed]


def _progress(request: HttpRequest, roster: RosterImport) -> Section | None:
    """While the check waits or runs: how far it is. The page comes again by itself."""
    job = roster.job
    if roster.state != ImportState.UPLOADED or job is None:
        return None
    return Section(_("Check of the workbook"), render_to_string("admin/rosters/progress.html", {"job": job}))


def _counts(request: HttpRequest, roster: RosterImport) -> Section | None:
    if not roster.row_count:
        return None
    return Section(_("What is in it"), render_to_string("admin/rosters/counts.html", {"roster": roster}))


def _findings(request: HttpRequest, roster: RosterImport) -> Section | None:
    found = list(RosterFinding.objects.filter(roster=roster)[: FINDINGS_SHOWN + 1])
    if not found:
        return None
    title = _("What to correct") if any(f.is_error for f in found) else _("Worth a look")
    headings = [_("row"), _("column"), _("value"), _("what to do")]
    rows: list[tuple] = [(f.row, f.column, f.value or "-", f.sentence) for f in found[:FINDINGS_SHOWN]]
    if len(found) > FINDINGS_SHOWN:
        rows.append(("…", "", "", gettext("There are more. Correct these first and upload the workbook again.")))
    return table(title, headings, rows)


def _rows(request: HttpRequest, roster: RosterImport) -> Section | None:
    """The people, a page at a time, personal values masked."""
    staged = RosterRow.objects.filter(roster=roster)
    page = Paginator(staged, ROWS_A_PAGE).get_page(request.GET.get("rows"))
    if not page.object_list:
        return None
    names = dict(Region.objects.filter(code__in={row.plain["county"] for row in page}).values_list("code", "name"))
    lines = [{"row": row, "is_wrong": row.status == RowStatus.WRONG, **_shown(row, names)} for row in page]
    html = render_to_string("admin/rosters/rows.html", {"lines": lines, "page": page})
    return Section(_("People in the workbook"), html)


def _shown(row: RosterRow, names: dict[str, str]) -> dict[str, str]:
    plain = row.plain
    return {
        "name": plain["name"],
        "county": names.get(plain["county"], "-"),
        "township": plain["township"],
        "id_number": mask_id_number(plain["id_number"]),
        "phone": mask_phone(plain["phone"]),
        "handle": plain["handle"],
    }


def _apply(roster: RosterImport, by: Any) -> None:
    apply_roster(roster, by=by, on=timezone.localdate())


@admin.register(RosterImport)
class RosterImportAdmin(ScopedAdmin):
    """A workbook on its way. What was uploaded stands; it is moved, not edited."""

    class Media:
        css = {"all": ["admin/rosters.css"]}

    may_edit = False
    change_list_template = "admin/rosters/list.html"
    list_display = ["file_name", "region", "cohort", "state_label", "new_count", "matched_count", "wrong_count", "at"]
    list_display_links = ["file_name"]
    list_filter = ["state", "cohort", "region"]
    list_select_related = ["region", "cohort__programme", "uploaded_by", "job"]
    search_fields = ["file_name", "filled_by"]
    autocomplete_fields = ["region"]
    sections = [_progress, _counts, _findings, _rows]
    moves = [
        Move(
            "apply",
            _("Write these people"),
            _apply,
            states=[READY],
            state_of=lambda row: READY if row.can_be_applied else row.state,
            is_main=True,
        ),
        Move("recheck", _("Check again"), lambda row, by: recheck_roster(row, by=by), states=[ImportState.CHECKED]),
        Move(
            "discard",
            _("Put aside"),
            lambda row, by: discard_roster(row, by=by),
            states=states_before(ImportState.DISCARDED),
        ),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: RosterImport | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["cohort", "region", "file"]})]
        fields: list[Any] = [
            ("file_name", "state"),
            ("cohort", "region"),
            ("title", "filled_by"),
            ("uploaded_by", "uploaded_at"),
        ]
        if obj.error:
            fields.insert(0, "error")
        if obj.applied_by_id:
            fields.append(("applied_by", "applied_at"))
        return [(None, {"fields": fields})]

    def may_move(self, request: HttpRequest, move: Move) -> bool:
        """Whoever may upload may confirm; the rows are checked again in the scope of who confirms."""
        return request.user.has_perm("rosters.add_rosterimport")  # type: ignore[union-attr]

    def save_model(self, request: HttpRequest, obj: RosterImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        written = upload_roster(file, cohort=obj.cohort, region=obj.region, by=request.user, name=file.name)
        adopt(obj, written)

    def response_add(self, request: HttpRequest, obj: RosterImport, *args: Any, **kwargs: Any) -> HttpResponse:
        """Straight to the import's own page, where its check can be watched."""
        return HttpResponseRedirect(reverse("admin:rosters_rosterimport_change", args=[obj.pk]))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """While the check is under way the page asks to be loaded again, which needs no script."""
        response = super().change_view(request, object_id, form_url, extra_context)
        under_way = RosterImport.objects.visible_to(request.user).filter(pk=object_id, state=ImportState.UPLOADED)
        if request.method == "GET" and object_id.isdigit() and under_way.exists():
            response["Refresh"] = "2"
        return response

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.blank_view)
        return [path("template.xlsx", view, name="rosters_rosterimport_template"), *super().get_urls()]

    def blank_view(self, request: HttpRequest) -> HttpResponse:
        """The blank workbook."""
        response = HttpResponse(blank_roster(), content_type=XLSX)
        response["Content-Disposition"] = (
            "attachment; filename*=UTF-8''%E5%AD%A6%E5%91%98%E6%8A%A5%E5%90%8D%E8%A1%A8.xlsx"
        )
        return response

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, row: RosterImport) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("uploaded at"), ordering="uploaded_at")
    def at(self, row: RosterImport) -> Any:
        return row.uploaded_at

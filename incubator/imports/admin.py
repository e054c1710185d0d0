"""The staff desk's pages of a staged import: upload a workbook, look at what is in it, write it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import Colours, Move, ScopedAdmin, Section
from incubator.imports.choices import CAN_BE_READ_AGAIN, MOVES, ImportState
from incubator.imports.models import StagedImport

ROWS_A_PAGE = 50
FINDINGS_SHOWN = 200
STATE_COLOURS = Colours(
    {
        ImportState.CHECKED: "info",
        ImportState.APPLIED: "success",
        ImportState.REFUSED: "danger",
    }
)
READY = "ready"  # to be confirmed, and nothing wrong
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows of one status; ``is_bad`` ones stand out when there are any."""

    label: Any
    number: int
    is_bad: bool = False


def import_moves(label: Any, *, apply: Callable, recheck: Callable, discard: Callable) -> list[Move]:
    """The three things that can be done with an import; ``label`` is what confirming it is called."""
    return [
        Move("apply", label, apply, states=[READY], state_of=_readiness, is_main=True),
        Move("recheck", _("Check again"), recheck, states=CAN_BE_READ_AGAIN),
        Move("discard", _("Put aside"), discard, states=_states_before(ImportState.DISCARDED)),
    ]


def _readiness(row: Any) -> str:
    return READY if row.can_be_applied else row.state


def _states_before(after: ImportState) -> list[str]:
    return [before for before, allowed in MOVES.items() if after in allowed]


# --- Parts of an import's page ----------------------------------------------------------------------------------------


def progress(request: HttpRequest, staged: StagedImport) -> Section | None:
    """While the check waits or runs: how far it is. The page comes again by itself."""
    job = staged.job
    if staged.state != ImportState.UPLOADED or job is None:
        return None
    return Section(_("Check of the workbook"), render_to_string("admin/imports/progress.html", {"job": job}))


def counts(staged: Any, numbers: Sequence[Count], sentences: Sequence[Any] = ()) -> Section | None:
    """How many rows of each status, and what to do now; ``sentences`` are said when no row is wrong."""
    if not staged.row_count:
        return None
    context = {"staged": staged, "counts": numbers, "sentences": sentences}
    return Section(_("What is in the workbook"), render_to_string("admin/imports/counts.html", context))


def findings(request: HttpRequest, staged: Any) -> Section | None:
    """What to correct, the errors first."""
    found = list(staged.findings.all()[: FINDINGS_SHOWN + 1])
    if not found:
        return None
    title = _("What to correct") if any(f.is_error for f in found) else _("Worth a look")
    context = {"findings": found[:FINDINGS_SHOWN], "has_more": len(found) > FINDINGS_SHOWN}
    return Section(title, render_to_string("admin/imports/findings.html", context))


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the preview."""

    cells: Sequence[Any]
    is_wrong: bool = False


def page_of_rows(request: HttpRequest, staged_rows: QuerySet) -> Page:
    return Paginator(staged_rows, ROWS_A_PAGE).get_page(request.GET.get("rows"))


def preview(title: Any, headings: Sequence[Any], lines: Sequence[Line], page: Page) -> Section | None:
    """The rows a page at a time, none where there are none."""
    if not lines:
        return None
    html = render_to_string("admin/imports/rows.html", {"headings": headings, "lines": lines, "page": page})
    return Section(title, html)


# --- The list and the pages -------------------------------------------------------------------------------------------


class StagedImportAdmin(ScopedAdmin):
    """A workbook on its way. What was uploaded stands; it is moved, not edited.

    A room names what is asked for on upload (``asked``), what its page shows (``shown``), its ``hint`` above the list,
    its blank workbook and that one's name.
    """

    class Media:
        css = {"all": ["admin/imports.css"]}

    may_edit = False
    asked: Sequence[str] = ()
    shown: Sequence[Any] = ()
    hint: Any = ""
    blank: Callable[[], bytes]
    blank_name = ""
    change_list_template = "admin/imports/list.html"
    list_display_links = ["file_name"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": list(self.asked)})]
        fields: list[Any] = ["error"] if obj.error else []
        fields += [("file_name", "state"), *self.shown, ("title", "filled_by"), ("uploaded_by", "uploaded_at")]
        if obj.applied_by_id:
            fields.append(("applied_by", "applied_at"))
        return [(None, {"fields": fields})]

    def may_move(self, request: HttpRequest, move: Move) -> bool:
        """Whoever may upload may confirm; the rows are checked again in the scope of who confirms."""
        return request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}")  # type: ignore[union-attr]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        url = reverse(f"admin:{self._url_name('template')}")
        return super().changelist_view(request, {"hint": self.hint, "template_url": url, **(extra_context or {})})

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Straight to the import's own page, where its check can be watched."""
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[obj.pk]))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """While the check is under way the page asks to be loaded again, which needs no script."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if request.method == "GET" and object_id.isdigit() and self._is_under_way(request, object_id):
            response["Refresh"] = "2"
        return response

    def _is_under_way(self, request: HttpRequest, pk: str) -> bool:
        return self.get_queryset(request).filter(pk=pk, state=ImportState.UPLOADED).exists()

    def _url_name(self, what: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{what}"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.blank_view)
        return [path("template.xlsx", view, name=self._url_name("template")), *super().get_urls()]

    def blank_view(self, request: HttpRequest) -> HttpResponse:
        """The blank workbook."""
        response = HttpResponse(type(self).blank(), content_type=XLSX)
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(self.blank_name)}"
        return response

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, row: Any) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("uploaded at"), ordering="uploaded_at")
    def at(self, row: Any) -> Any:
        return row.uploaded_at

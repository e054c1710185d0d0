"""The desk's page on which a person says which sheet of a roster is read and what its columns are."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminSelectWidget

from incubator.common.desk import Section
from incubator.common.errors import RuleBroken
from incubator.common.workbooks import Leftover
from incubator.imports.admin import StagedImportAdmin
from incubator.imports.choices import CAN_BE_READ_AGAIN
from incubator.rosters.choices import Column
from incubator.rosters.mapping import choose_columns
from incubator.rosters.models import RosterImport
from incubator.rosters.reading import column_name, unused_columns
from incubator.rosters.services import recheck_roster

BY_ITSELF = "by itself"


class ColumnsForm(forms.Form):
    """A sheet, and for each of its headers what it means."""

    def __init__(self, *args: Any, roster: RosterImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outline = roster.outline
        self._headers = outline.get("headers", [])
        self.fields["sheet"] = forms.ChoiceField(
            label=gettext_lazy("Sheet"),
            choices=[(name, name) for name in outline.get("sheets", [])],
            initial=outline.get("sheet"),
            widget=UnfoldAdminSelectWidget,
            help_text=gettext_lazy("When you choose another sheet, its columns are shown after it was read."),
        )
        for header in self._headers:
            self.fields[_field(header)] = _column_field(header)
        self._sheet_before = outline.get("sheet")

    @property
    def columns(self) -> dict[str, str | None]:
        """What was chosen, by header, as ``choose_columns`` wants it; nothing when the sheet is another one."""
        if self.cleaned_data["sheet"] != self._sheet_before:
            return {}
        said = {header["key"]: self.cleaned_data[_field(header)] for header in self._headers}
        return {key: None if column == BY_ITSELF else column for key, column in said.items()}


def _field(header: dict[str, Any]) -> str:
    return f"column_{header['place']}"


def _column_field(header: dict[str, Any]) -> forms.ChoiceField:
    name = column_name(header["column"]) if header["column"] and not header["is_chosen"] else ""
    itself = _("understood as %(name)s") % {"name": name} if name else _("understood by itself")
    choices = [(BY_ITSELF, itself), ("", _("not used")), *((column.value, column.label) for column in Column)]
    samples = "　".join(sample for sample in header["samples"] if sample)
    return forms.ChoiceField(
        label=f"{header['letter']} {header['text']}".strip(),
        choices=choices,
        initial=header["column"] if header["is_chosen"] else BY_ITSELF,
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Below it: %(samples)s") % {"samples": samples} if samples else "",
    )


def columns_section(request: HttpRequest, roster: RosterImport) -> Section | None:
    """How the sheet was understood: which one, what of it is not used, what was left out and why."""
    outline = roster.outline
    if not outline.get("headers"):
        return None
    context = {
        "outline": outline,
        "unused": unused_columns(outline),
        "used": [(h["text"] or h["letter"], column_name(h["column"])) for h in outline["headers"] if h["column"]],
        "left_out": [(Leftover(why).label, count) for why, count in outline.get("left_out", {}).items()],
        "taken": [_taken(column, count) for column, count in outline.get("taken", {}).items()],
        "url": reverse("admin:rosters_rosterimport_columns", args=[roster.pk]) if _can_choose(request, roster) else "",
    }
    return Section(_("How the sheet was read"), render_to_string("admin/rosters/outline.html", context))


def _taken(column: str, count: int) -> str:
    sentence = ngettext(
        "%(column)s: in %(count)s row the value was taken from the row above.",
        "%(column)s: in %(count)s rows the value was taken from a row above.",
        count,
    )
    return sentence % {"column": column_name(column), "count": f"{count:,}"}


def _may_choose(request: HttpRequest) -> bool:
    return request.user.has_perm("rosters.add_rosterimport")  # type: ignore[union-attr]


def _can_choose(request: HttpRequest, roster: RosterImport) -> bool:
    return _may_choose(request) and roster.state in CAN_BE_READ_AGAIN


class RosterColumns(StagedImportAdmin):
    """The part of a roster import's desk that is about its columns."""

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.columns_view)
        return [path("<int:pk>/columns/", view, name=self._url_name("columns")), *super().get_urls()]

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose the sheet and what its columns are; then it is read again."""
        roster = self.get_queryset(request).select_related("region").filter(pk=pk).first()
        if roster is None or not roster.outline.get("headers"):
            raise Http404
        if not self.has_view_permission(request, roster) or not _may_choose(request):
            raise PermissionDenied
        form = ColumnsForm(request.POST if request.method == "POST" else None, roster=roster)
        if form.is_valid() and self._read_again(request, roster, form):
            return HttpResponseRedirect(reverse("admin:rosters_rosterimport_change", args=[pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Sheet and columns of %(file)s") % {"file": roster.file_name},
            "opts": self.opts,
            "roster": roster,
            "form": form,
            "can_choose": _can_choose(request, roster),
        }
        return TemplateResponse(request, "admin/rosters/columns.html", context)

    def _read_again(self, request: HttpRequest, roster: RosterImport, form: ColumnsForm) -> bool:
        try:
            choose_columns(roster, sheet=form.cleaned_data["sheet"], columns=form.columns, by=request.user)
            recheck_roster(roster, by=request.user)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return False
        self.log_change(request, roster, _("Sheet and columns chosen"))
        messages.success(request, _("The workbook is read again. What you chose is remembered for this region."))
        return True

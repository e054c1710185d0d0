"""The desk's pages of single rows of a roster: the list of them, and the page where one is put right."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from incubator.common.desk import Section
from incubator.common.errors import RuleBroken
from incubator.common.masking import mask_birth, mask_id_number, mask_phone
from incubator.imports.admin import ROWS_A_PAGE, Line, StagedImportAdmin
from incubator.imports.choices import TO_CONFIRM
from incubator.regions.models import Region
from incubator.rosters.checking import masked
from incubator.rosters.choices import Column, Decision, RowStatus
from incubator.rosters.corrections import (
    LONGEST_CELL,
    SECRET,
    correct_row,
    decide_row,
    leave_out_row,
    take_in_row,
    texts_of_row,
)
from incubator.rosters.models import RosterFinding, RosterImport, RosterRow
from trainees.choices import Background, Sex
from trainees.models import Trainee

HEADINGS = [
    gettext_lazy("row"),
    gettext_lazy("status"),
    pgettext_lazy("person", "name"),
    gettext_lazy("ID number"),
    gettext_lazy("phone"),
    gettext_lazy("county"),
    gettext_lazy("township"),
    gettext_lazy("account number"),
    "",
]
FIELD_NAMES = {
    "name": pgettext_lazy("person", "name"),
    "sex": gettext_lazy("sex"),
    "born_on": gettext_lazy("date of birth"),
    "township": gettext_lazy("township"),
    "background": gettext_lazy("background"),
    "education": gettext_lazy("education"),
    "id_number": gettext_lazy("ID number"),
    "phone": gettext_lazy("phone"),
}
# What the list of rows can be narrowed to: the label, the count of the import, and the condition.
KINDS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "new": (gettext_lazy("new"), "new_count", {"status": RowStatus.NEW}),
    "matched": (gettext_lazy("known already"), "matched_count", {"status": RowStatus.MATCHED}),
    "changed": (
        gettext_lazy("to be changed"),
        "changed_count",
        {"status": RowStatus.MATCHED, "changes__len__gt": 0},
    ),
    "doubtful": (
        gettext_lazy("doubtful"),
        "doubtful_count",
        {"status": RowStatus.NEW, "looks_like__isnull": False, "decision": ""},
    ),
    "wrong": (gettext_lazy("wrong"), "wrong_count", {"status": RowStatus.WRONG}),
    "skipped": (gettext_lazy("skipped"), "skipped_count", {"status": RowStatus.SKIPPED}),
}


# --- The list ---------------------------------------------------------------------------------------------------------


class _Counted(Paginator):
    """Pages of rows whose number the import knows, so that they are not counted anew."""

    def __init__(self, rows: Any, count: int) -> None:
        super().__init__(rows, ROWS_A_PAGE)
        self.count = count


def rows_section(request: HttpRequest, roster: RosterImport) -> Section | None:
    """The rows, a page at a time and of one kind, personal values masked."""
    if not roster.row_count or roster.is_under_way:
        return None
    kind = request.GET.get("kind", "")
    rows, count = roster.rows.all(), roster.row_count  # type: ignore[attr-defined]
    if kind in KINDS:
        _label, number, condition = KINDS[kind]
        rows, count = rows.filter(**condition), getattr(roster, number)
    page = _Counted(rows, count).get_page(request.GET.get("rows"))
    names = dict(Region.objects.filter(code__in={row.county_id for row in page}).values_list("code", "name"))
    context = {
        "kinds": _links(roster, kind),
        "kind": kind if kind in KINDS else "",
        "headings": HEADINGS,
        "lines": [Line(_shown(roster, row, names), row.status == RowStatus.WRONG) for row in page],
        "page": page,
    }
    return Section(_("Rows of the workbook"), render_to_string("admin/rosters/rows.html", context))


def _links(roster: RosterImport, chosen: str) -> list[tuple[str, Any, int, bool]]:
    """Kinds of rows there are: each with its label, how many, and whether it is shown."""
    found = [(kind, label, getattr(roster, number)) for kind, (label, number, _q) in KINDS.items()]
    every = ("", _("all"), roster.row_count, chosen not in KINDS)
    return [every, *((kind, label, count, kind == chosen) for kind, label, count in found if count)]


def _shown(roster: RosterImport, row: RosterRow, names: dict[str, str]) -> list[Any]:
    url = reverse("admin:rosters_rosterimport_row", args=[roster.pk, row.number])
    return [
        row.number,
        _status(row),
        row.name or "-",
        mask_id_number(row.plain_id_number) or "-",
        mask_phone(row.plain_phone) or "-",
        names.get(row.county_id or "", "-"),
        row.township or "-",
        row.handle or "-",
        format_html('<a class="desk-link" href="{}">{}</a>', url, _("Look")),
    ]


def _status(row: RosterRow) -> str:
    more = []
    if row.reason:
        more.append(row.reason)
    if row.status == RowStatus.MATCHED and row.changes:
        more.append(_("changes: %(what)s") % {"what": "、".join(str(FIELD_NAMES[name]) for name in row.changes)})
    if row.is_doubtful:
        more.append(_("doubtful"))
    return " · ".join([str(row.get_status_display()), *more])


# --- One row ----------------------------------------------------------------------------------------------------------


class RowForm(forms.Form):
    """The cells of a row. What is ``SECRET`` is not shown; typed anew they take the place of the file's."""

    def __init__(self, *args: Any, roster: RosterImport, row: RosterRow, **kwargs: Any) -> None:
        texts = texts_of_row(row)
        super().__init__(*args, **kwargs)
        self.initial = {column: text for column, text in texts.items() if column not in SECRET}
        for column in Column:
            field = forms.CharField(
                label=roster.headers.get(column.value, column.label),
                required=False,
                max_length=LONGEST_CELL,
                widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            )
            if column.value in SECRET and texts.get(column.value):
                shown = masked(column.value, texts[column.value]) or _("not shown")
                field.help_text = _("%(value)s; leave this empty to keep it.") % {"value": shown}
            self.fields[column.value] = field

    @property
    def texts(self) -> dict[str, str]:
        """What was written, by column; of the secret ones only what was typed."""
        said = self.cleaned_data.items()
        return {column: text for column, text in said if text or column not in SECRET}


class RosterRows(StagedImportAdmin):
    """The part of a roster import's desk that is about single rows."""

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.row_view)
        return [path("<int:pk>/rows/<int:number>/", view, name=self._url_name("row")), *super().get_urls()]

    def row_view(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """One row with what was found in it: to look at, and while the import waits, to put right."""
        roster = self.get_queryset(request).select_related("cohort", "region").filter(pk=pk).first()
        row = RosterRow.objects.filter(roster=pk, number=number).first() if roster else None
        if roster is None or row is None:
            raise Http404
        if not self.has_view_permission(request, roster):
            raise PermissionDenied
        if request.method == "POST":
            return self._change_row(request, roster, row)
        return self._row_page(request, roster, row, RowForm(roster=roster, row=row))

    def _may_correct(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")  # type: ignore[union-attr]

    def _change_row(self, request: HttpRequest, roster: RosterImport, row: RosterRow) -> HttpResponse:
        if not self._may_correct(request):
            raise PermissionDenied
        do = ROW_MOVES.get(request.POST.get("do", ""))
        if do is None:
            return HttpResponseNotAllowed(["GET"])
        form = RowForm(request.POST, roster=roster, row=row)
        if not form.is_valid():
            return self._row_page(request, roster, row, form)
        try:
            said = do(roster, row.number, request, form)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, roster, _("Row %(row)s: %(what)s") % {"row": row.number, "what": said})
            messages.success(request, said)
        return HttpResponseRedirect(request.path)

    def _row_page(self, request: HttpRequest, roster: RosterImport, row: RosterRow, form: RowForm) -> HttpResponse:
        can_change = roster.state in TO_CONFIRM and not roster.is_under_way and self._may_correct(request)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Row %(row)s of %(file)s") % {"row": row.number, "file": roster.file_name},
            "opts": self.opts,
            "roster": roster,
            "row": row,
            "form": form,
            "findings": RosterFinding.objects.filter(roster=roster, row=row.number),
            "is_left_out": row.status == RowStatus.SKIPPED,
            "can_change": can_change and bool(row.name or row.cells),
            "person": _person(request, row),
            "changes": _changes(row),
            "before_and_after": _neighbours(roster, row),
            "facts": _facts(row),
        }
        return TemplateResponse(request, "admin/rosters/row.html", context)


def _correct(roster: RosterImport, number: int, request: HttpRequest, form: RowForm) -> str:
    correct_row(roster, number, form.texts, by=request.user)
    return _("Checked again with what was written.")


def _leave_out(roster: RosterImport, number: int, request: HttpRequest, form: RowForm) -> str:
    leave_out_row(roster, number, by=request.user, reason=request.POST.get("reason", ""))
    return _("Left out.")


def _take_in(roster: RosterImport, number: int, request: HttpRequest, form: RowForm) -> str:
    take_in_row(roster, number, by=request.user)
    return _("Taken in again.")


def _decide(decision: str) -> Callable[[RosterImport, int, HttpRequest, RowForm], str]:
    def decide(roster: RosterImport, number: int, request: HttpRequest, form: RowForm) -> str:
        decide_row(roster, number, decision, by=request.user)
        return _("Decided: %(what)s.") % {"what": Decision(decision).label if decision else _("not known yet")}

    return decide


ROW_MOVES: dict[str, Callable[[RosterImport, int, HttpRequest, RowForm], str]] = {
    "correct": _correct,
    "leave_out": _leave_out,
    "take_in": _take_in,
    "same": _decide(Decision.SAME),
    "other": _decide(Decision.OTHER),
    "undecided": _decide(""),
}


def _person(request: HttpRequest, row: RosterRow) -> dict[str, Any] | None:
    """Who the row looks like, beside what it says; only somebody whom this person may see."""
    if row.looks_like_id is None:
        return None
    known = Trainee.objects.visible_to(request.user).select_related("county").filter(pk=row.looks_like_id).first()
    if known is None:
        return None
    county = Region.objects.filter(pk=row.county_id).first()
    pairs = [
        (FIELD_NAMES["name"], row.name, known.name),
        (_("ID number"), mask_id_number(row.plain_id_number), known.masked_id_number),
        (FIELD_NAMES["born_on"], mask_birth(row.born_on), mask_birth(known.born_on)),
        (_("phone"), mask_phone(row.plain_phone), known.masked_phone),
        (_("county"), county or "", known.county.name),
        (_("township"), row.township, known.township),
        (_("trainee number"), row.trainee_number, known.number),
    ]
    return {"pairs": [(label, here or "-", there or "-") for label, here, there in pairs], "trainee": known}


def _changes(row: RosterRow) -> list[tuple[Any, str, str]]:
    """What will be (or was) changed of the person: the field, before and after, masked where personal."""
    was = row.plain_before
    after = {
        "name": row.name,
        "sex": row.sex,
        "born_on": row.born_on.isoformat() if row.born_on else "",
        "township": row.township,
        "background": row.background,
        "education": row.education,
        "id_number": row.plain_id_number,
        "phone": row.plain_phone,
    }
    return [(FIELD_NAMES[name], _told(name, was.get(name)), _told(name, after[name])) for name in row.changes if was]


def _told(name: str, value: Any) -> str:
    if not value:
        return "-"
    if name == "id_number":
        return mask_id_number(value)
    if name == "phone":
        return mask_phone(value)
    if name == "born_on":
        return mask_birth(value)
    labels = {"sex": dict(Sex.choices), "background": dict(Background.choices)}
    return str(labels[name].get(value, value)) if name in labels else str(value)


def _facts(row: RosterRow) -> list[tuple[Any, Any]]:
    return [
        (_("status"), _status(row)),
        (pgettext_lazy("person", "name"), row.name or "-"),
        (_("ID number"), mask_id_number(row.plain_id_number) or "-"),
        (_("phone"), mask_phone(row.plain_phone) or "-"),
    ]


def _neighbours(roster: RosterImport, row: RosterRow) -> dict[str, int | None]:
    """The next wrong row and the next doubtful one, where there are any: somebody goes through them all."""
    later = roster.rows.filter(number__gt=row.number)  # type: ignore[attr-defined]
    to_decide = {
        kind: later.filter(**KINDS[kind][2]).values_list("number", flat=True) for kind in ("wrong", "doubtful")
    }
    return {kind: numbers.first() for kind, numbers in to_decide.items()}

"""The page on which a list becomes a file, and its way in: a button above every list and an action on chosen rows."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.common.desk import ListTool, ScopedAdmin, offer_on_every_list
from incubator.common.errors import RuleBroken
from incubator.common.exports import resource_for
from incubator.common.exports.columns import has_personal
from incubator.exports.forms import ExportQuestions
from incubator.exports.rows import ListRows
from incubator.exports.services import (
    AT_ONCE,
    FORMATS,
    ListExport,
    Wanted,
    ask_for_export,
    export_now,
    may_have_in_clear,
)

TOOL = "export"


def export_list(desk: ScopedAdmin, request: HttpRequest) -> HttpResponseBase:
    """Ask how (GET), or hand the file out or the work over (POST). The list's filters stand in the address."""
    return _page(desk, request, request.POST.getlist(ACTION_CHECKBOX_NAME), is_answer=request.method == "POST")


def export_chosen(desk: ScopedAdmin, request: HttpRequest, rows: QuerySet) -> HttpResponseBase:
    """From the list's own page: the chosen rows, or all rows of the list where all were chosen."""
    if request.POST.get("select_across") == "1":
        return HttpResponseRedirect(_address(desk, request))
    return _page(desk, request, request.POST.getlist(ACTION_CHECKBOX_NAME), is_answer=False)


def _address(desk: ScopedAdmin, request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return desk.tool_url(TOOL) + (f"?{query}" if query else "")


def _page(desk: ScopedAdmin, request: HttpRequest, chosen: Sequence[str], *, is_answer: bool) -> HttpResponseBase:
    rows = ListRows(desk, request.user, request.GET.urlencode(), tuple(chosen))
    try:
        count = rows.count_up_to(AT_ONCE)
    except (RuleBroken, ValueError, ValidationError) as fault:
        messages.error(request, str(fault) if isinstance(fault, RuleBroken) else _("These rows do not exist."))
        return _back(desk)
    form = _form(desk, rows, request.POST if is_answer else None)
    if is_answer and count and form.is_valid():
        try:
            return _hand_over(desk, request, rows, form, count)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
    return _ask(desk, request, rows, form, count)


def _form(desk: ScopedAdmin, rows: ListRows, data: Any) -> ExportQuestions:
    offers = has_personal(desk, rows.request) and may_have_in_clear(rows.user)
    resource = type(resource_for(desk, rows.request))
    return ExportQuestions(list(FORMATS.values()), resource, offers_in_clear=offers, data=data)


def _hand_over(
    desk: ScopedAdmin, request: HttpRequest, rows: ListRows, form: ExportQuestions, count: int
) -> HttpResponseBase:
    wanted = Wanted(
        format=form.chosen_format(),
        query=rows.query,
        chosen=tuple(rows.chosen),
        in_clear=form.cleaned_data.get("in_clear", False),
        reason=form.cleaned_data.get("reason", ""),
    )
    export = ListExport(desk, wanted, by=request.user)
    if count > AT_ONCE:
        return redirect("job", ask_for_export(export).pk)
    file, _count = export_now(export)
    answer = FileResponse(file, content_type=export.format.get_content_type())
    answer["Content-Disposition"] = content_disposition_header(True, export.file_name())
    return answer


def _back(desk: ScopedAdmin) -> HttpResponseRedirect:
    return redirect(f"admin:{desk.opts.app_label}_{desk.opts.model_name}_changelist")


def _ask(
    desk: ScopedAdmin, request: HttpRequest, rows: ListRows, form: ExportQuestions, count: int
) -> TemplateResponse:
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Export: %(list)s") % {"list": capfirst(str(desk.opts.verbose_name_plural))},
        "opts": desk.opts,
        "form": form,
        "media": desk.media + form.media,
        "count": count,
        "at_once": AT_ONCE,
        "filters": list(rows.filters()),
        "columns": resource_for(desk, rows.request).get_export_headers(),
        "is_recorded": not (desk.names_nobody or desk.is_reference),
        "action": _address(desk, request),
        "chosen": rows.chosen,
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "list_url": _list_address(desk, request),
    }
    return TemplateResponse(request, "admin/desk/export.html", context)


def _list_address(desk: ScopedAdmin, request: HttpRequest) -> str:
    query = request.GET.urlencode()
    return _back(desk)["Location"] + (f"?{query}" if query else "")


offer_on_every_list(
    ListTool(
        TOOL,
        gettext_lazy("Export"),
        gettext_lazy("Export the chosen rows"),
        "download",
        view=export_list,
        chosen=export_chosen,
    )
)

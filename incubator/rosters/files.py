"""The desk's files of this room: the template of a cohort and region, the copy with findings, the corrected one."""

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from incubator.common.desk import Move, NoQuestions, Section, link_to
from incubator.common.errors import RuleBroken
from incubator.imports.admin import XLSX, StagedImportAdmin
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
from incubator.rosters.choices import CORRECTABLE
from incubator.rosters.copies import copied_import, copy_job, fetch_copy, is_long, may_take, request_copy, take_copy
from incubator.rosters.marked import file_name
from incubator.rosters.models import RosterImport
from incubator.rosters.services import upload_correction
from incubator.rosters.template import roster_template, template_name

MOST_SUGGESTED = 200  # names offered while one types; a browser shows no more
NUMBER, CODE = re.compile(r"[0-9]{1,18}"), re.compile(r"[0-9]{6}")
REGIONS = "roster-regions"  # id of their list


class TemplateChoice(forms.Form):
    """Which cohort and region a template is wanted for; the region by its name or code, among one's own."""

    cohort = forms.ModelChoiceField(Cohort.objects.none(), label=gettext_lazy("Cohort"), widget=UnfoldAdminSelectWidget)
    region = forms.CharField(
        label=gettext_lazy("Region"),
        max_length=60,
        help_text=gettext_lazy("Name or six-digit code of a county, prefecture or province"),
        widget=UnfoldAdminTextInputWidget(attrs={"list": REGIONS, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, user: Any, cohorts: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._regions = Region.objects.visible_to(user).current()
        self.fields["cohort"].queryset = cohorts.select_related("programme")  # type: ignore[attr-defined]
        found = list(self._regions.order_by("code")[: MOST_SUGGESTED + 1])
        self.suggested = found if len(found) <= MOST_SUGGESTED else []
        self.suggested_id = REGIONS
        if len(found) == 1:
            self.fields["region"].initial = found[0].name

    def clean_region(self) -> Region:
        text = "".join(self.cleaned_data["region"].split())
        named = Q(pk=text) | Q(name=text) | Q(aliases__name=text)
        found = list(self._regions.filter(named).select_related("province", "prefecture").distinct()[:10])
        if not found:
            raise forms.ValidationError(
                _("You have no region called “%(name)s”. Write its full name or six-digit code.") % {"name": text}
            )
        if len(found) > 1:
            choices = "、".join(f"{region.path_name} {region.code}" for region in found)
            raise forms.ValidationError(
                _("There are several of this name. Write the code of the one you mean: %(choices)s.")
                % {"choices": choices}
            )
        return found[0]


class CorrectedWorkbook(NoQuestions):
    """Asks for the workbook that was corrected."""

    file = forms.FileField(
        label=gettext_lazy("Corrected workbook"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".xlsx,.xls,.ods,.csv"}),
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        if args:  # it was sent
            kwargs["files"] = request.FILES
        super().__init__(*args, request=request, **kwargs)


def _upload_correction(roster: RosterImport, *, by: Any, file: Any) -> None:
    upload_correction(roster, file, by=by, name=file.name)


CORRECTION = Move(
    "correct",
    gettext_lazy("Upload a corrected workbook"),
    _upload_correction,
    CorrectedWorkbook,
    states=CORRECTABLE,
    state_of=lambda roster: "" if roster.is_under_way else roster.state,
)


class RosterFiles(StagedImportAdmin):
    """The part of a roster import's desk that hands workbooks out."""

    change_form_outer_before_template = "admin/rosters/add_hint.html"

    def get_urls(self) -> list:
        choose, marked = (self.admin_site.admin_view(view) for view in (self.choose_view, self.marked_view))
        return [
            path("template/", choose, name=self._url_name("choose")),
            path("<int:pk>/marked/", marked, name=self._url_name("marked")),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> dict:
        """One workbook corrects one import, not those chosen in a list."""
        actions = super().get_actions(request)
        actions.pop(CORRECTION.name, None)
        return actions

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """After a corrected workbook, on to its own import."""
        if name != CORRECTION.name or not NUMBER.fullmatch(object_id):
            return super().move_view(request, object_id, name)
        before = self._latest_correction(request, object_id)
        response = super().move_view(request, object_id, name)
        after = self._latest_correction(request, object_id)
        if after == before:
            return response
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[after]))

    def _latest_correction(self, request: HttpRequest, pk: str) -> int | None:
        mine = self.get_queryset(request).filter(corrects=pk, uploaded_by=request.user)
        return mine.order_by("-pk").values_list("pk", flat=True).first()

    def marked_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The workbook with its findings: made at once, fetched when it was made, or asked for."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            roster = copied_import(request.user, pk)
        except RosterImport.DoesNotExist:
            raise Http404 from None
        if not request.user.has_perm("rosters.change_rosterimport"):  # type: ignore[union-attr]
            raise PermissionDenied
        try:
            if not is_long(roster):
                return workbook_response(take_copy(roster, by=request.user), file_name(roster))
            if "fetch" in request.POST:
                return workbook_response(fetch_copy(roster, by=request.user), file_name(roster))
            request_copy(roster, by=request.user)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
        return HttpResponseRedirect(reverse(f"admin:{self._url_name('change')}", args=[pk]))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """While a copy is being made the page comes again by itself."""
        response = super().change_view(request, object_id, form_url, extra_context)
        if request.method == "GET" and getattr(request, "awaits_copy", False):
            response["Refresh"] = "2"
        return response

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        context = {
            "template_url": reverse(f"admin:{self._url_name('choose')}"),
            "template_text": _("Download the template of a cohort and region"),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a cohort and a region; with both, on to their template."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = request.GET if "region" in request.GET else None
        initial = {"cohort": request.GET.get("cohort") or self.related_rows(Cohort, request).first()}
        form = TemplateChoice(asked, initial=initial, user=request.user, cohorts=self.related_rows(Cohort, request))
        if form.is_valid():
            wanted = {"cohort": form.cleaned_data["cohort"].pk, "region": form.cleaned_data["region"].pk}
            return HttpResponseRedirect(f"{reverse(f'admin:{self._url_name("template")}')}?{urlencode(wanted)}")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Template of a cohort and region"),
            "form": form,
            "opts": self.opts,
            "blank_url": reverse(f"admin:{self._url_name('template')}"),
        }
        return TemplateResponse(request, "admin/rosters/template.html", context)

    def blank_view(self, request: HttpRequest) -> HttpResponse:
        """The blank workbook, or with ``cohort`` and ``region`` the template of these; a stranger's is not there."""
        if not request.GET.keys() & {"cohort", "region"}:
            return super().blank_view(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        number, code = request.GET.get("cohort", ""), request.GET.get("region", "")
        if not (NUMBER.fullmatch(number) and CODE.fullmatch(code)):
            raise Http404
        cohort = get_object_or_404(self.related_rows(Cohort, request).select_related("programme"), pk=number)
        regions = Region.objects.visible_to(request.user).current().select_related("province", "prefecture")
        region = get_object_or_404(regions, pk=code)
        return workbook_response(roster_template(cohort, region, by=request.user), template_name(cohort, region))


def workbook_response(content: bytes, name: str) -> HttpResponse:
    """A workbook as a download that no cache keeps."""
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response


def marked_section(request: HttpRequest, roster: RosterImport) -> Section | None:
    """How the workbook is corrected where it is, and which import it corrects or is corrected by."""
    context: dict[str, Any] = {
        "corrects": link_to(roster.corrects) if roster.corrects else "",
        "corrected_by": [link_to(other) for other in roster.corrected_by.all()],
    }
    if may_take(request.user, roster) and roster.findings.exists():
        job = copy_job(roster, by=request.user) if is_long(roster) else None
        request.awaits_copy = job is not None and job.is_live  # type: ignore[attr-defined]
        context |= {"url": reverse("admin:rosters_rosterimport_marked", args=[roster.pk]), "job": job}
    if not any(context.values()):
        return None
    html = render_to_string("admin/rosters/marked.html", context, request=request)
    return Section(_("Correct it in the workbook"), html)


def template_section(request: HttpRequest, cohort: Cohort) -> Section | None:
    """On a cohort's page: choose a region, take its template."""
    if not request.user.has_perm("rosters.view_rosterimport"):  # type: ignore[union-attr]
        return None
    cohorts = Cohort.objects.filter(pk=cohort.pk)
    form = TemplateChoice(initial={"cohort": cohort.pk}, user=request.user, cohorts=cohorts)
    form.fields["cohort"].widget = forms.HiddenInput()
    context = {"form": form, "action": reverse("admin:rosters_rosterimport_choose")}
    return Section(_("Roster template"), render_to_string("admin/rosters/choose.html", context))

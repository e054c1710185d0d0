"""The desk's downloads of this room: the template of a cohort and region, and the form that asks for which."""

import re
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from incubator.common.desk import Section
from incubator.imports.admin import XLSX, StagedImportAdmin
from incubator.programmes.models import Cohort
from incubator.regions.models import Region
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


class RosterFiles(StagedImportAdmin):
    """The part of a roster import's desk that hands workbooks out."""

    change_form_outer_before_template = "admin/rosters/add_hint.html"

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.choose_view)
        return [path("template/", view, name=self._url_name("choose")), *super().get_urls()]

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


def template_section(request: HttpRequest, cohort: Cohort) -> Section | None:
    """On a cohort's page: choose a region, take its template."""
    if not request.user.has_perm("rosters.view_rosterimport"):  # type: ignore[union-attr]
        return None
    cohorts = Cohort.objects.filter(pk=cohort.pk)
    form = TemplateChoice(initial={"cohort": cohort.pk}, user=request.user, cohorts=cohorts)
    form.fields["cohort"].widget = forms.HiddenInput()
    context = {"form": form, "action": reverse("admin:rosters_rosterimport_choose")}
    return Section(_("Roster template"), render_to_string("admin/rosters/choose.html", context))

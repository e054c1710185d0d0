"""The staff desk's pages of this room."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from incubator.common.desk import Colours, Day, Move, QuestionFilter, ReadOnlyAdmin, ScopedAdmin, ScopedInline
from incubator.regions.choices import KeyCountyStatus
from incubator.regions.models import KeyCounty, Region, RegionAlias
from incubator.regions.services import check_key_county, retire_region


class AliasInline(ScopedInline):
    model = RegionAlias
    is_part_of_parent = True


class Retirement(Day):
    """Asks from when the code is out of use, and which code is understood in its place."""

    replaced_by = forms.CharField(
        label=_("Code of the successor"), required=False, max_length=6, widget=UnfoldAdminTextInputWidget
    )

    def clean_replaced_by(self) -> Region | None:
        code = self.cleaned_data["replaced_by"].strip()
        if not code:
            return None
        region = Region.objects.visible_to(self.request.user).filter(code=code).first()
        if region is None:
            raise ValidationError(_("There is no region with this code."))
        return region


def _retire(region: Region, *, by: Any, on: date, replaced_by: Region | None) -> None:
    retire_region(region, on=on, replaced_by=replaced_by)


class RetiredFilter(QuestionFilter):
    title = _("use")
    parameter_name = "use"
    questions = {
        "current": (_("in use"), lambda rows: rows.filter(retired_on=None)),
        "retired": (_("retired"), lambda rows: rows.exclude(retired_on=None)),
    }


@admin.register(Region)
class RegionAdmin(ScopedAdmin):
    """Divisions come from the data files; here names are corrected, other names noted and codes retired."""

    may_add = False
    is_long = True
    names_nobody = True
    list_display = ["code", "name", "level", "path", "retired_on", "replaced_by"]
    list_filter = ["level", RetiredFilter]
    list_select_related = ["province", "prefecture", "replaced_by"]
    search_fields = ["code", "name"]
    search_help_text = _("Code, name or other name")
    fields = ["code", "name", ("level", "path"), ("retired_on", "replaced_by")]
    readonly_fields = ["code", "level", "path", "retired_on", "replaced_by"]
    inlines = [AliasInline]
    moves = [
        Move(
            "retire",
            _("Retire the code"),
            _retire,
            form=Retirement,
            states=["current"],
            state_of=lambda region: "retired" if region.retired_on else "current",
        )
    ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if term.isdigit():
            return queryset.filter(code__startswith=term), False
        named = Q(name__contains=term) | Q(pk__in=RegionAlias.objects.filter(name__contains=term).values("region"))
        return (queryset.filter(named) if term else queryset), False

    @display(description=_("path"))
    def path(self, region: Region) -> str:
        return region.path_name


def _check(key_county: KeyCounty, *, by: Any) -> None:
    check_key_county(key_county, by=by.get_username(), on=timezone.localdate())


@admin.register(KeyCounty)
class KeyCountyAdmin(ReadOnlyAdmin):
    list_display = ["county", "province", "status_label", "checked_by", "checked_on"]
    list_filter = ["status"]
    list_select_related = ["region__province", "region__prefecture"]
    search_fields = ["region__name"]
    fields = ["region", "status", ("checked_by", "checked_on")]
    moves = [
        Move(
            "check",
            _("Checked against the notice"),
            _check,
            states=[KeyCountyStatus.TWO_SOURCES, KeyCountyStatus.ONE_SOURCE, KeyCountyStatus.UNVERIFIED],
            state_of=lambda row: row.status,
            is_main=True,
        )
    ]

    @display(description=_("county"), ordering="region")
    def county(self, row: KeyCounty) -> str:
        return row.region.name

    @display(description=_("province"), ordering="region__province")
    def province(self, row: KeyCounty) -> str:
        return row.region.province.name

    @display(
        description=_("source"),
        ordering="status",
        label=Colours(
            {
                KeyCountyStatus.CHECKED: "success",
                KeyCountyStatus.TWO_SOURCES: "info",
                KeyCountyStatus.UNVERIFIED: "warning",
            }
        ),
    )
    def status_label(self, row: KeyCounty) -> tuple[str, str]:
        return row.status, row.get_status_display()

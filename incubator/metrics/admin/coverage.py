"""Coverage and age of readings by platform, cohort and county: the tables of the home page, and a page of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incubator.metrics.choices import Platform
from incubator.metrics.freshness import Part, Spread, spread_for
from incubator.programmes.models import Cohort
from incubator.regions.models import Region

ROWS_AT_HOME = 10
COUNTIES_A_PAGE = 50
PERMISSION = "metrics.view_creatoraccount"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a table: what it is about, and where its accounts are that were not read within a week."""

    name: Any
    part: Part
    age: int | None  # days since the oldest reading
    note: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of coverage; ``more`` counts the rows that are left out."""

    title: Any
    heading: Any
    lines: list[Line]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the home page shows, counted at ``at``."""

    at: datetime
    tables: list[Table]


def coverage_for(request: HttpRequest, spread: Spread) -> Coverage | None:
    """The platforms, the newest cohorts and the counties read worst, for whoever may see accounts."""
    if not request.user.has_perm(PERMISSION):
        return None
    tables = [_platforms(spread), _cohorts(spread, ROWS_AT_HOME)]
    if len(spread.counties) > 1:
        tables.append(_counties(spread, spread.counties[:ROWS_AT_HOME], len(spread.counties)))
    return Coverage(spread.at, [table for table in tables if table.lines])


def coverage_view(request: HttpRequest) -> TemplateResponse:
    """All of it, counties by pages, the worst first."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    spread = spread_for(request.user, at=timezone.now())
    page = Paginator(spread.counties, COUNTIES_A_PAGE).get_page(request.GET.get("page"))
    tables = [
        _platforms(spread),
        _cohorts(spread, len(spread.cohorts)),
        _counties(spread, list(page), len(page)),
    ]
    context = {
        **admin.site.each_context(request),
        "title": _("Coverage of readings"),
        "coverage": Coverage(spread.at, [table for table in tables if table.lines]),
        "page": page,
    }
    return TemplateResponse(request, "admin/metrics/coverage.html", context)


def _platforms(spread: Spread) -> Table:
    names = dict(Platform.choices)
    return Table(_("By platform"), _("platform"), _lines(spread.platforms, names, spread.at))


def _cohorts(spread: Spread, most: int) -> Table:
    shown = spread.cohorts[:most]
    names = Cohort.objects.select_related("programme").in_bulk([part.key for part in shown])
    return Table(_("By cohort"), _("cohort"), _lines(shown, names, spread.at), len(spread.cohorts) - len(shown))


def _counties(spread: Spread, parts: Sequence[Part], count: int) -> Table:
    codes = [part.key for part in parts]
    regions = Region.objects.select_related("province", "prefecture").in_bulk(codes)
    lines = [_county(part, regions[part.key], spread.at) for part in parts]
    return Table(_("By county, the worst first"), _("county"), lines, count - len(parts))


def _county(part: Part, region: Region, at: datetime) -> Line:
    above = region.path_name.removesuffix(region.name).strip()
    return Line(region.name, part, _age(part.oldest, at), above, _unread_accounts(part))


def _unread_accounts(part: Part) -> str:
    accounts = reverse("admin:metrics_creatoraccount_changelist")
    return f"{accounts}?trainee__county__code__exact={part.key}&state__exact=linked&read=stale"


def _lines(parts: Iterable[Part], names: dict, at: datetime) -> list[Line]:
    return [Line(names.get(part.key, part.key), part, _age(part.oldest, at)) for part in parts]


def _age(day: date | None, at: datetime) -> int | None:
    return (timezone.localtime(at).date() - day).days if day else None

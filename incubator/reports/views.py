"""The pages of officials: which reports can I open, and the report of one region and period."""

from datetime import date
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from incubator.accounts.choices import Role
from incubator.common.charts import line_chart
from incubator.common.errors import RuleBroken
from incubator.regions.choices import Level
from incubator.regions.models import Region
from incubator.regions.scoping import scope_of
from incubator.reports.indicators import INDICATORS
from incubator.reports.periods import Period
from incubator.reports.queries import (
    CountyFigures,
    county_figures,
    coverage_lines,
    figures_below,
    followers_by_week,
)
from incubator.reports.services import region_for, request_county_report
from incubator.reports.workbook import as_of_line, region_name
from trainees.models import Trainee

COUNTIES_A_PAGE = 50


def _check_reader(request: HttpRequest) -> None:
    """Reports are for officials and staff; for a trainee there is nothing here."""
    if request.user.role == Role.TRAINEE and not request.user.is_superuser:  # type: ignore[union-attr]
        raise Http404


def _region(request: HttpRequest, code: str) -> Region | None:
    _check_reader(request)
    try:
        return region_for(code, user=request.user)
    except Region.DoesNotExist:
        raise Http404 from None


def _period(request: HttpRequest, text: str | None) -> Period:
    """The period asked for; the current quarter, with a sentence, for anything that is none."""
    if text:
        try:
            return Period.parse(text)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
    return Period.current(timezone.localdate())


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The regions whose reports this person may open: those posted to, and the counties below that have trainees."""
    _check_reader(request)
    scope = scope_of(request.user)
    visible = Region.objects.visible_to(request.user).select_related("province", "prefecture")
    posted = visible.filter(code__in=scope.provinces | scope.prefectures | scope.counties)
    search = request.GET.get("q", "").replace("\x00", "").strip()
    counties = visible.filter(Exists(Trainee.objects.filter(county=OuterRef("pk"))))
    if search:
        counties = counties.filter(
            Q(name__contains=search) | Q(code__startswith=search) | Q(aliases__name__contains=search)
        ).distinct()
    context = {
        "is_country": scope.everything,
        "is_posted": not scope.is_empty,
        "posted": [region for region in posted if region.level != Level.COUNTY or not search],
        "page": Paginator(counties.order_by("code"), COUNTIES_A_PAGE).get_page(request.GET.get("page")),
        "search": search,
        "page_query": f"{urlencode({'q': search})}&" if search else "",
        "period": Period.current(timezone.localdate()),
    }
    return render(request, "reports/overview.html", context)


@require_safe
def county_report(request: HttpRequest, code: str) -> HttpResponse:
    """The report of a region and period as a page."""
    region = _region(request, code)
    period = _period(request, request.GET.get("period"))
    today = timezone.localdate()
    figures = county_figures(region, period, as_of=today)
    context = {
        "code": code,
        "name": region_name(region),
        "period": period,
        "previous": period.previous(),
        "next": period.next() if period.ends_on < today else None,
        "choices": _choices(period, today),
        "figures": figures,
        "as_of_line": as_of_line(figures),
        "groups": _groups(figures),
        "coverage": coverage_lines(region, period, as_of=today),
        "counties": _counties(region, period, today),
        "chart": _chart(region, period, today),
    }
    return render(request, "reports/county_report.html", context)


def _choices(period: Period, today: date) -> list[Period]:
    """Periods to choose from: the one shown, the last two years, the last eight quarters."""
    quarters = [Period.current(today)]
    while len(quarters) < 8 and (before := quarters[-1].previous()):
        quarters.append(before)
    years = [Period.parse(str(year)) for year in (today.year, today.year - 1)]
    return [*([] if period in (*years, *quarters) else [period]), *years, *quarters]


def _groups(figures: CountyFigures) -> list[tuple[Any, list[dict[str, Any]]]]:
    lines = [
        (i.group, {"name": i.name, "unit": i.unit, "value": i.value(figures), "counted": i.counted}) for i in INDICATORS
    ]
    return [(group, [line for _group, line in some]) for group, some in groupby(lines, key=lambda pair: pair[0])]


def _counties(region: Region | None, period: Period, today: date) -> list[tuple[Region, CountyFigures]]:
    """The counties below a prefecture, province or the country, with their figures; none where none is below."""
    if region is not None and region.level == Level.COUNTY:
        return []
    figures = figures_below(region, period, as_of=today)
    if region is not None and list(figures) == [region.code]:  # 东莞, 儋州 …: a prefecture without counties
        return []
    names = Region.objects.in_bulk(list(figures))
    return [(names[code], some) for code, some in figures.items()]


def _chart(region: Region | None, period: Period, today: date) -> Any:
    points = followers_by_week(region, period, as_of=today)
    return line_chart(points, label=_("Followers of all accounts by week"), days_between=7)


@require_POST
def make_workbook(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for the workbook and watch it being made."""
    region = _region(request, code)
    try:
        period = Period.parse(request.POST.get("period", ""))
        job = request_county_report(region, period, by=request.user)
    except RuleBroken as refusal:
        messages.error(request, str(refusal))
        return redirect(reverse("county_report", args=[code]))
    return redirect("job", job.pk)

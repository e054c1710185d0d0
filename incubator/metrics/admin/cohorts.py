"""Cohorts beside each other: a page of the desk."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incubator.common.charts import Curve, curves_chart
from incubator.common.desk import number
from incubator.metrics.cohorts import AGES, SAMPLE, WEEKS, CohortFigures, compare_cohorts
from incubator.programmes.models import Cohort

FEWEST, MOST, AT_FIRST = 2, 6, 3
MEDIAN, INDEX = "median", "index"


class CohortsForm(forms.Form):
    """Which cohorts."""

    cohort = forms.ModelMultipleChoiceField(
        Cohort.objects.select_related("programme"),
        label=gettext_lazy("Cohorts"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose 2 to 6 cohorts.")},
    )

    def clean_cohort(self) -> list[Cohort]:
        chosen = list(self.cleaned_data["cohort"])
        if not FEWEST <= len(chosen) <= MOST:
            raise forms.ValidationError(_("Choose 2 to 6 cohorts."))
        return chosen


def cohorts_page(request: HttpRequest) -> dict[str, Any]:
    """What the page shows: the cohorts asked for, at first the newest, as the person who looks may see them."""
    newest = list(Cohort.objects.select_related("programme")[:AT_FIRST])
    form = CohortsForm(request.GET if "cohort" in request.GET else {"cohort": [cohort.pk for cohort in newest]})
    chosen = form.cleaned_data["cohort"] if form.is_valid() else newest if "cohort" not in request.GET else []
    show = INDEX if request.GET.get("show") == INDEX else MEDIAN
    found = compare_cohorts(chosen, user=request.user, on=timezone.localdate()) if chosen else []
    return {
        "form": form,
        "error": form.errors.get("cohort", [""])[0] if "cohort" in request.GET else "",
        "found": found,
        "rows": _rows(found),
        "chart": _chart(found, show),
        "weeks": _weeks(found, show),
        "shows": _shows(request, show),
        "sample": SAMPLE,
    }


def _shows(request: HttpRequest, show: str) -> list[tuple[Any, str, bool]]:
    """The two ways to draw, as links that keep the cohorts."""
    query = request.GET.copy()
    links = []
    for value, words in ((MEDIAN, _("Median of followers")), (INDEX, _("Median growth, beginning = 100"))):
        query["show"] = value
        links.append((words, f"?{query.urlencode()}#curves", value == show))
    return links


def _rows(found: list[CohortFigures]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Lines of the table: a name, and for each cohort a figure and what it rests on."""

    def line(name: str, *cells: tuple[str, str]) -> tuple[str, list[tuple[str, str]]]:
        return name, list(cells)

    return [
        line(_("People"), *((number(c.people), "") for c in found)),
        line(_("Support has begun"), *((number(c.started), "") for c in found)),
        line(_("Connected"), *((number(c.connected), "") for c in found)),
        line(_("Of them read in the last 7 days"), *((_percent(c.coverage), number(c.fresh)) for c in found)),
        line(_("Followers as of"), *((str(c.as_of or "-"), _people(c.read)) for c in found)),
        line(_("Followers, median"), *((_rounded(c.median), "") for c in found)),
        line(_("Followers, mean"), *((_rounded(c.mean), "") for c in found)),
        line(_("Followers, all accounts"), *((_rounded(c.total), "") for c in found)),
        line(_("Reached 10,000"), *((_percent(c.share(c.over_10k)), number(c.over_10k)) for c in found)),
        line(_("Reached 100,000"), *((_percent(c.share(c.over_100k)), number(c.over_100k)) for c in found)),
        *(
            line(_("Gained a person in the first %(days)s days") % {"days": days}, *_gained(found, days))
            for days in AGES
        ),
    ]


def _first(days: int) -> str:
    return _("Gained a person in the first %(days)s days") % {"days": days}


def _gained(found: list[CohortFigures], days: int) -> list[tuple[str, str]]:
    cells = []
    for cohort in found:
        growth = cohort.growth.get(days)
        cells.append((f"{growth.mean:+,.0f}", _people(growth.people)) if growth else ("-", ""))
    return cells


def _people(count: int) -> str:
    return _("of %(count)s people") % {"count": f"{count:,}"}


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0f}%"


def _rounded(value: float | None) -> str:
    return number(None if value is None else round(value))


def _value(week: Any, show: str) -> float | None:
    value: float | None = week.index if show == INDEX else week.median
    return value


def _chart(found: list[CohortFigures], show: str) -> SafeString:
    curves = [
        Curve(str(c.cohort), [(w.week, v) for w in c.steady_weeks if (v := _value(w, show)) is not None]) for c in found
    ]
    title = _("Followers by week since support began, one line a cohort")
    return curves_chart(curves, label=title, steps=WEEKS, every=4, unit=_("week %s"))


def _weeks(found: list[CohortFigures], show: str) -> list[tuple[int, list[tuple[str, str]]]]:
    """The chart as a table: by week, for each cohort the figure and of how many people."""
    by_week = [{week.week: week for week in cohort.weeks} for cohort in found]
    there = sorted({week for weeks in by_week for week in weeks})
    return [(week, [_cell(weeks.get(week), show) for weeks in by_week]) for week in there]


def _cell(week: Any, show: str) -> tuple[str, str]:
    if week is None:
        return "-", ""
    value = _value(week, show)
    return (f"{value:,.1f}" if value is not None and show == INDEX else _rounded(value)), _people(week.people)

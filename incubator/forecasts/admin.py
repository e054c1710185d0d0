"""The staff desk's pages of this room: whom to help, in the order of looking; and how far forecasts can be trusted."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import (
    Colours,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    columns,
    extend_desk,
    facts,
    link_to,
    link_where_open,
    number,
    table,
)
from incubator.common.exports import Exported
from incubator.forecasts.choices import Band
from incubator.forecasts.models import BackTest, Calibration, Forecast
from incubator.forecasts.queries import Kept, fan, kept_of, newest_back_test, percent, when_sentence
from incubator.programmes.models import Participation
from incubator.regions.filters import RegionFilter
from trainees.desk import SearchedByPerson
from trainees.models import Trainee

CHART_CSS: dict[str, Sequence[str]] = {"all": ["admin/followers.css"]}
BAND_COLOURS = Colours(
    {
        Band.ON_COURSE: "success",
        Band.WITHIN_REACH: "info",
        Band.NEEDS_HELP: "warning",
        Band.OUT_OF_REACH: "danger",
    }
)

# --- Whom to help -----------------------------------------------------------------------------------------------------


def _narrowed(rows: QuerySet, **asked: Any) -> QuerySet:
    return rows.filter(**asked)


def _where(**asked: Any) -> Callable[[QuerySet], QuerySet]:
    """A question of a filter: rows that are so."""
    return partial(_narrowed, **asked)


class BandFilter(QuestionFilter):
    title = _("band")
    parameter_name = "band"
    questions = {
        **{str(band): (band.label, _where(band=band)) for band in Band},
        "none": (_("no forecast"), _where(band="")),
    }


class EndsFilter(QuestionFilter):
    title = _("support ends")
    parameter_name = "ends"
    questions = {
        "7": (_("within 7 days"), _where(days_left__lte=7)),
        "14": (_("within 14 days"), _where(days_left__lte=14)),
        "30": (_("within 30 days"), _where(days_left__lte=30)),
        "60": (_("within 60 days"), _where(days_left__lte=60)),
    }


def chance_of(forecast: Forecast) -> str:
    """``about 62%``; never certain, and nothing where nothing is said."""
    if forecast.chance is None or forecast.is_reached:
        return "-"
    return percent(forecast.chance, 0)


def pace_of(forecast: Forecast) -> str:
    return "-" if forecast.pace is None else f"{forecast.pace:+,.0f}"


def _standing(request: HttpRequest, forecast: Forecast) -> Section:
    """What is known, what is expected, and where the number comes from."""
    known = [
        (_("account"), link_where_open(request, forecast.account)),
        (_("followers"), number(forecast.followers)),
        (_("read on"), forecast.read_on or "-"),
        (_("followers that decide"), f"{number(forecast.goal)} ({forecast.badge})"),
        (_("followers missing"), number(forecast.distance)),
        (_("support until"), forecast.support_ends_on),
        (_("days left"), number(forecast.days_left)),
    ]
    expected = [
        (_("needed a day"), number(forecast.needed_per_day)),
        (_("gained a day, last 14 days"), pace_of(forecast)),
        (_("number reached"), when_sentence(forecast)),
        (_("chance by the last day"), chance_of(forecast)),
        (_("band"), forecast.get_band_display() or "-"),
        (_("as of"), forecast.as_of),
    ]
    return columns(_("Forecast"), [facts(_("Known"), known), facts(_("Expected"), expected)])


def _picture(request: HttpRequest, forecast: Forecast) -> Section | None:
    drawing = fan(forecast)
    return Section(_("The next 60 days"), drawing + _trust(forecast)) if drawing else None


def _trust(forecast: Forecast) -> SafeString:
    """One sentence about the range: what it held so far, or that it rests on too little."""
    return format_html('<p class="desk-empty">{}</p>', trust_sentence(forecast, kept_of(newest_back_test())))


def trust_sentence(forecast: Forecast, kept: Kept | None) -> str:
    """How far the range can be trusted, and where it cannot."""
    if forecast.support_ends_on > (forecast.later_than or forecast.support_ends_on):
        beyond = gettext("What lies beyond 60 days is a rough estimate that was never tested.") + " "
    else:
        beyond = ""
    if not forecast.is_calibrated or kept is None:
        return beyond + gettext("The range rests on too little history: it is not calibrated and promises nothing.")
    sentence = gettext(
        "As measured on %(day)s over %(cases)s earlier forecasts, what came lay within the 80%% range in %(percent)s%% "
        "of cases."
    )
    return beyond + sentence % {"day": kept.measured_on, "cases": number(kept.cases), "percent": kept.percent}


@admin.register(Forecast)
class ForecastAdmin(SearchedByPerson, ReadOnlyAdmin):
    is_long = True
    list_display = [
        "person",
        "county",
        "band_label",
        "chance_label",
        "missing",
        "days_left",
        "needed",
        "pace_label",
        "reached",
        "cohort",
        "as_of",
    ]
    list_filter = [BandFilter, EndsFilter, ("participation__trainee__county", RegionFilter), "participation__cohort"]
    list_select_related = ["participation__trainee__county", "participation__cohort__programme", "account", "badge"]
    search_fields = ["participation__trainee__number"]
    fields = [("trainee", "participation_link", "county")]
    readonly_fields = ["trainee", "participation_link", "county"]
    sections = [_standing, _picture]
    change_list_template = "admin/forecasts/list.html"
    exported = [
        Exported("chance_label", _("chance by the last day"), lambda row: None if row.is_reached else row.chance),
        Exported("pace_label", _("gained a day, last 14 days"), "pace"),
        Exported("followers", _("followers"), "followers", after="missing"),
        Exported("read_on", _("read on"), "read_on", after="followers"),
        Exported("support_ends_on", _("support until"), "support_ends_on", after="days_left"),
    ]

    class Media:
        css = CHART_CSS

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        tests = newest_back_test()
        may_look = request.user.has_perm("forecasts.view_backtest")
        own = {
            "kept": kept_of(tests),
            "tests_url": reverse("admin:forecasts_backtest_changelist") if may_look and tests else "",
        }
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @display(description=_("trainee"))
    def trainee(self, row: Forecast) -> Any:
        return link_to(row.participation.trainee)

    @display(description=_("participation"))
    def participation_link(self, row: Forecast) -> Any:
        return link_to(row.participation, row.participation.cohort)

    @display(description=_("trainee"), ordering="participation__trainee__number")
    def person(self, row: Forecast) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Forecast) -> str:
        return row.participation.trainee.county.name

    @display(description=_("cohort"), ordering="participation__cohort")
    def cohort(self, row: Forecast) -> str:
        return str(row.participation.cohort)

    @display(description=_("band"), ordering="order", label=BAND_COLOURS)
    def band_label(self, row: Forecast) -> tuple[str, Any]:
        return row.band, row.get_band_display() or gettext("no forecast")

    @display(description=_("chance by the last day"), ordering="chance")
    def chance_label(self, row: Forecast) -> str:
        return chance_of(row)

    @display(description=_("followers missing"), ordering="distance")
    def missing(self, row: Forecast) -> str:
        return number(row.distance)

    @display(description=_("needed a day"), ordering="needed_per_day")
    def needed(self, row: Forecast) -> str:
        return number(row.needed_per_day)

    @display(description=_("gained a day, last 14 days"), ordering="pace")
    def pace_label(self, row: Forecast) -> str:
        return pace_of(row)

    @display(description=_("number reached"), ordering="expected_on")
    def reached(self, row: Forecast) -> str:
        return when_sentence(row)


# --- How forecasts came true ------------------------------------------------------------------------------------------


def ahead_words(test: BackTest) -> str:
    """What was forecast: followers so many days ahead, or the day of reaching a number."""
    if not test.horizon:
        return gettext("the day of reaching the next number")
    sentence = ngettext("followers %(count)s day ahead", "followers %(count)s days ahead", test.horizon)
    return sentence % {"count": test.horizon}


def error_words(test: BackTest, error: float | None) -> str:
    """Errors of followers as a share, of days as days."""
    if error is None:
        return "-"
    if test.horizon:
        return percent(error, 2)
    return ngettext("%(count)s day", "%(count)s days", round(error)) % {"count": round(error)}


def _measured(request: HttpRequest, test: BackTest) -> Section:
    pairs = [
        (_("what was forecast"), ahead_words(test)),
        (_("days on which forecasts were made"), f"{test.since} – {test.until}"),
        (_("accounts"), number(test.accounts)),
        (_("forecasts compared"), number(test.cases)),
        (_("within the range of 80%"), percent(test.coverage)),
        (_("median error"), error_words(test, test.median_error)),
        (_("median error had the pace gone on"), error_words(test, test.naive_error)),
        (_("on too little history"), number(test.unproven)),
        (_("of them within the range"), percent(test.unproven_coverage)),
    ]
    return facts(_("Forecasts beside what came"), pairs)


def _learned(request: HttpRequest, test: BackTest) -> Section | None:
    """What was learned on the day of the back-test for the same horizon."""
    if not test.horizon:
        return None
    found = Calibration.objects.filter(fitted_on=test.measured_on, horizon=test.horizon).order_by("group")
    rows = [
        (
            row.get_group_display(),
            number(row.cases),
            f"{row.origins_from} – {row.origins_until}" if row.origins_from else "-",
            _("yes") if row.is_calibrated else _("no"),
            number(row.tested),
            percent(row.coverage),
        )
        for row in found
    ]
    headings = [
        _("kind of account"),
        _("cases learned from"),
        _("days of these"),
        _("rests on enough history"),
        _("forecasts tested"),
        _("within the range of 80%"),
    ]
    return table(_("What was learned that day"), headings, rows, empty=_("Nothing is kept of that day."))


@admin.register(BackTest)
class BackTestAdmin(ReadOnlyAdmin):
    is_reference = True
    names_nobody = True
    list_display = ["measured_on", "ahead", "compared", "coverage_label", "error", "naive", "unproven_label"]
    ordering = ["-measured_on", "horizon"]
    fields = ["measured_on"]
    sections = [_measured, _learned]

    @display(description=_("what was forecast"), ordering="horizon")
    def ahead(self, row: BackTest) -> str:
        return ahead_words(row)

    @display(description=_("forecasts compared"), ordering="cases")
    def compared(self, row: BackTest) -> str:
        return number(row.cases)

    @display(description=_("within the range of 80%"))
    def coverage_label(self, row: BackTest) -> str:
        return percent(row.coverage)

    @display(description=_("median error"), ordering="median_error")
    def error(self, row: BackTest) -> str:
        return error_words(row, row.median_error)

    @display(description=_("median error had the pace gone on"), ordering="naive_error")
    def naive(self, row: BackTest) -> str:
        return error_words(row, row.naive_error)

    @display(description=_("on too little history, within the range"))
    def unproven_label(self, row: BackTest) -> str:
        return f"{number(row.unproven)}, {percent(row.unproven_coverage)}" if row.unproven else "-"


# --- Added to the pages of trainees and participations ----------------------------------------------------------------


def _forecast_of(request: HttpRequest, participation: Participation) -> Section | None:
    if not request.user.has_perm("forecasts.view_forecast"):
        return None
    return _section(request, Forecast.objects.filter(participation=participation))


def _forecasts(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("forecasts.view_forecast"):
        return None
    return _section(request, Forecast.objects.filter(participation__trainee=trainee))


def _section(request: HttpRequest, rows: QuerySet) -> Section | None:
    """The forecast of whose support ends last; nothing for people out of support."""
    own = rows & Forecast.objects.visible_to(request.user)
    forecast = own.select_related(*ForecastAdmin.list_select_related).order_by("-support_ends_on", "-pk").first()
    if forecast is None:
        return None
    parts = [_standing(request, forecast)]
    if (picture := _picture(request, forecast)) is not None:
        parts.append(picture)
    return columns(_("Forecast"), parts, note=forecast.get_band_display() or _("no forecast"))


extend_desk(Trainee, sections=[_forecasts], media=[forms.Media(css=CHART_CSS)])
extend_desk(Participation, sections=[_forecast_of], media=[forms.Media(css=CHART_CSS)])

"""Who narrowly missed a number: somebody looks, brings a figure, asks for a longer period, or closes it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.certification.models import AwardCheck, NearMiss
from incubator.certification.services import close_near_miss
from incubator.common.desk import (
    Move,
    NoQuestions,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    facts,
    link_where_open,
    number,
    table,
)
from trainees.desk import SearchedByPerson


class Finding(NoQuestions):
    """Asks what was found."""

    finding = forms.CharField(
        label=gettext_lazy("What was found"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


class OpenFilter(QuestionFilter):
    """Shows what nobody has looked at yet unless asked for something else."""

    title = gettext_lazy("looked at")
    parameter_name = "miss"
    all_option = None
    questions = {
        "open": (gettext_lazy("to be looked at"), lambda rows: rows.filter(closed_at=None)),
        "closed": (gettext_lazy("closed"), lambda rows: rows.exclude(closed_at=None)),
        "all": (gettext_lazy("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "open"


def _figures(request: HttpRequest, miss: NearMiss) -> Section:
    """What is known, and what is missing."""
    least = miss.rule.least_followers or 0
    return facts(
        _("Around the last day"),
        [
            (_("rule"), miss.rule),
            (_("account"), link_where_open(request, miss.account)),
            (_("last day"), miss.ended_on),
            (_("best reading of the last days"), f"{number(miss.best)} · {miss.best_day}"),
            (_("missing then"), number(max(0, least - miss.best))),
            (_("first reading afterwards"), f"{number(miss.after)} · {miss.after_day}" if miss.after_day else "-"),
        ],
    )


def _ways(request: HttpRequest, miss: NearMiss) -> Section:
    """Where one acts. Whatever is done there, the rule is met by readings and periods, or not at all."""
    ways = [
        (
            _("Was the period too short for a good reason? Extend it on the page of the participation:"),
            link_where_open(request, miss.participation),
        ),
        (_("Does somebody have the figure of a day that was not read? Bring it:"), _bring_a_figure(request)),
        (_("Neither? Close it, and say what was found."), ""),
    ]
    lines = [format_html("<li>{} {}</li>", words, link) for words, link in ways]
    html = format_html('<ul class="desk-list">{}</ul>', SafeString("").join(lines))
    return Section(_("What can be done"), html)


def _bring_a_figure(request: HttpRequest) -> Any:
    """To the page where figures are uploaded, for whoever may."""
    if not request.user.has_perm("figures.add_figuresimport"):  # type: ignore[union-attr]
        return _("ask whoever enters figures.")
    try:
        url = reverse("admin:figures_figuresimport_add")
    except NoReverseMatch:
        return ""
    return format_html('<a class="desk-link" href="{}">{}</a>', url, _("Upload figures"))


def _closing(request: HttpRequest, miss: NearMiss) -> Section | None:
    if miss.closed_at is None:
        return None
    return facts(
        _("Closed"),
        [(_("at"), miss.closed_at), (_("closed by"), miss.closed_by or "-"), (_("what was found"), miss.closing)],
    )


@admin.register(NearMiss)
class NearMissAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["person", "county", "rule", "kind", "ended_on", "best_reached", "reached_after", "closed_at"]
    list_filter = [OpenFilter, "kind", "rule", "participation__trainee__county"]
    list_select_related = [
        "participation__trainee__county",
        "participation__cohort__programme",
        "rule__badge",
        "account",
        "closed_by",
    ]
    search_fields = ["participation__trainee__number"]
    fields = [("rule", "kind", "found_on")]
    sections = [_figures, _ways, _closing]
    moves = [
        Move(
            "close",
            gettext_lazy("Close"),
            close_near_miss,
            form=Finding,
            states=["open"],
            state_of=lambda miss: "closed" if miss.closed_at else "open",
            is_main=True,
        )
    ]

    @display(description=gettext_lazy("trainee"), ordering="participation__trainee__number")
    def person(self, row: NearMiss) -> str:
        return str(row.participation.trainee)

    @display(description=gettext_lazy("county"), ordering="participation__trainee__county")
    def county(self, row: NearMiss) -> str:
        return row.participation.trainee.county.name

    @display(description=gettext_lazy("best reading of the period"), ordering="best")
    def best_reached(self, row: NearMiss) -> str:
        return number(row.best)

    @display(description=gettext_lazy("followers then"), ordering="after")
    def reached_after(self, row: NearMiss) -> str:
        return number(row.after)


# --- Checks of every morning ------------------------------------------------------------------------------------------

CODES = {
    "dossier": gettext_lazy("its dossier is missing, or cannot be read"),
    "digest": gettext_lazy("its dossier was changed"),
    "conditions": gettext_lazy("its dossier does not show what the rule asks for"),
    "rule": gettext_lazy("its dossier tells other conditions than the rule"),
    "reading": gettext_lazy("a reading is not what the dossier says"),
    "raw": gettext_lazy("by the raw rows the rule was not met"),
    "not_graduated": gettext_lazy("the graduation does not stand any more"),
}


def _eligible(request: HttpRequest, check: AwardCheck) -> Section:
    rows = [tuple(pair) for pair in check.findings.get("eligible", [])]
    headings = [_("trainee"), _("rule")]
    return table(_("Meet a rule, and are no candidates"), headings, rows, empty=_("Nobody."))


def _unproven(request: HttpRequest, check: AwardCheck) -> Section:
    rows = [(award, CODES.get(code, code)) for award, code in check.findings.get("unproven", [])]
    return table(_("Awards without evidence"), [_("award"), _("what is wrong")], rows, empty=_("None."))


@admin.register(AwardCheck)
class AwardCheckAdmin(ReadOnlyAdmin):
    names_nobody = True
    list_display = ["day", "at", "awards", "eligible", "unproven", "explained"]
    fields = [("day", "at", "awards"), ("eligible", "unproven", "explained")]
    sections = [_eligible, _unproven]

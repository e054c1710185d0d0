"""Candidates with their evidence side by side."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from courses.queries import live_graduation
from incubator.certification.admin.forms import LongReason
from incubator.certification.admin.rules import rule_sentence
from incubator.certification.choices import IN_REVIEW, CandidateState
from incubator.certification.models import Candidate
from incubator.certification.queries import leaps_of, looked_at_since, with_flag
from incubator.certification.services import approve_candidate, propose_candidate, refuse_candidate
from incubator.common.charts import line_chart
from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Move,
    NoQuestions,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    facts,
    link_to,
    number,
    table,
)
from incubator.metrics.queries import FRESH_DAYS, history
from trainees.desk import SearchedByPerson

CHART_BEFORE, CHART_AFTER = timedelta(days=60), timedelta(days=30)
TABLE_AROUND = timedelta(days=3)


UNEXPLAINED = _(
    "No traffic grant explains a leap below. New works could; works are not read, so look at the account itself. "
    "Approving needs a remark that says why the followers are believed."
)


class Proposal(NoQuestions):
    """Asks for a remark, which an unexplained leap makes necessary."""

    remark = forms.CharField(
        label=_("Remark (needed where a leap of followers is not explained)"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def _evidence(request: HttpRequest, candidate: Candidate) -> Section:
    """Rule, crossing, support window and graduation, side by side."""
    participation, rule = candidate.participation, candidate.rule
    graduation = live_graduation(participation)
    figures = graduation.facts if graduation else {}
    columns = [
        facts(
            _("Rule"),
            [(_("rule"), rule), (_("asks for"), rule_sentence(rule)), (_("published at"), moment(rule.published_at))],
        ),
        facts(
            _("Reading"),
            [
                (_("account"), link_to(candidate.account)),
                (_("reached on"), candidate.crossed_on),
                (_("followers that day"), number(candidate.followers)),
                (_("found on"), candidate.found_on),
            ],
        ),
        facts(
            _("Support period"),
            [
                (_("support from"), participation.support_starts_on or "-"),
                (_("support until"), participation.support_ends_on or "-"),
                (_("day of the period"), _day_of_support(candidate)),
            ],
        ),
        facts(
            _("Graduation"),
            [
                (_("participation"), link_to(participation)),
                (_("state"), participation.get_state_display()),
                (_("graduated on"), participation.graduated_on or "-"),
                (_("days attended"), figures.get("days", "-")),
                (_("class hours that count"), figures.get("counted_hours", "-")),
            ],
        ),
    ]
    return Section(_("Evidence"), render_to_string("admin/desk/columns.html", {"columns": columns}))


def _day_of_support(candidate: Candidate) -> Any:
    starts_on = candidate.participation.support_starts_on
    day = candidate.crossed_on
    return (day - starts_on).days + 1 if starts_on and day else "-"


def _readings(request: HttpRequest, candidate: Candidate) -> Section | None:
    day, participation, account = candidate.crossed_on, candidate.participation, candidate.account_id
    if day is None or account is None:
        return None
    points = history([account], since=day - CHART_BEFORE, until=day + CHART_AFTER)[account]
    starts_on, ends_on = participation.support_starts_on, participation.support_ends_on
    window = (starts_on, ends_on) if starts_on and ends_on else None
    title = gettext("Followers around the day the number was reached")
    threshold = candidate.rule.followers
    drawing = line_chart(points, label=title, threshold=threshold, window=window, mark=day, days_between=FRESH_DAYS)
    near = [point for point in points if abs(point[0] - day) <= TABLE_AROUND]
    rows = [(d, number(n), _change(before, n)) for before, (d, n) in zip([None, *near], near, strict=False)]
    numbers = table("", [_("day"), _("followers"), _("change")], rows, empty=_("No readings."))
    return Section(title, drawing + numbers.html)


def _change(before: tuple[Any, int] | None, now: int) -> str:
    return "-" if before is None else f"{now - before[1]:+,}"


def _leaps(request: HttpRequest, candidate: Candidate) -> Section:
    """Leaps on the way to the number, with a word of warning where no grant explains one."""
    leaps = list(leaps_of(candidate))
    rows = [
        (leap.day, f"+{leap.gained:,}", f"{leap.usual:+,.0f}", _("yes") if leap.ran_traffic else _("no"))
        for leap in leaps
    ]
    headings = [_("day"), _("gained a day"), _("usually a day"), _("under a traffic grant")]
    span = {"since": looked_at_since(candidate), "until": candidate.crossed_on}
    empty = gettext("No leap of followers from %(since)s to %(until)s.") % span
    numbers = table("", headings, rows, empty=empty)
    warning = SafeString("")
    if not all(leap.ran_traffic for leap in leaps):
        warning = format_html('<p class="desk-flag">{}</p>', UNEXPLAINED)
    return Section(_("Leaps of followers"), warning + numbers.html)


def _decision(request: HttpRequest, candidate: Candidate) -> Section | None:
    if candidate.decided_at is None:
        return None
    pairs = [
        (_("state"), candidate.get_state_display()),
        (_("decided by"), candidate.decided_by),
        (_("decided at"), moment(candidate.decided_at)),
        (_("reason"), candidate.reason or "-"),
        (_("award"), link_to(getattr(candidate, "award", None))),
    ]
    return facts(_("Decision"), pairs)


class DecisionFilter(QuestionFilter):
    """Shows what waits for a decision unless asked for something else."""

    title = _("decision")
    parameter_name = "decision"
    all_option = None
    questions = {
        "pending": (_("to be reviewed"), lambda rows: rows.filter(state__in=IN_REVIEW)),
        "approved": (_("approved"), lambda rows: rows.filter(state=CandidateState.APPROVED)),
        "refused": (_("refused"), lambda rows: rows.filter(state=CandidateState.REFUSED)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "pending"


def _approve(candidate: Candidate, *, by: Any) -> None:
    approve_candidate(candidate, by=by, on=timezone.localdate())


class LeapFilter(QuestionFilter):
    title = _("leap of followers")
    parameter_name = "leap"
    questions = {
        "unexplained": (_("not explained"), lambda rows: rows.filter(is_flagged=True)),
        "none": (_("none, or explained"), lambda rows: rows.filter(is_flagged=False)),
    }


@admin.register(Candidate)
class CandidateAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["person", "county", "rule", "crossed_on", "reached", "flag", "found_on", "state_label"]
    list_filter = [DecisionFilter, LeapFilter, "rule", "participation__trainee__county"]
    list_select_related = [
        "participation__trainee__county",
        "participation__cohort__programme",
        "rule__badge",
        "account",
        "decided_by",
    ]
    search_fields = ["participation__trainee__number"]
    fields = [("trainee", "trainee_county", "state")]
    readonly_fields = ["trainee", "trainee_county"]
    sections = [_leaps, _evidence, _readings, _decision]
    moves = [
        Move(
            "propose",
            _("Propose"),
            propose_candidate,
            form=Proposal,
            states=[CandidateState.PENDING, CandidateState.ASKED],
            is_main=True,
        ),
        Move("approve", _("Approve"), _approve, states=[CandidateState.PROPOSED], is_main=True),
        Move("refuse", _("Refuse"), refuse_candidate, form=LongReason, states=list(IN_REVIEW)),
    ]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return with_flag(rows)

    @display(description=_("trainee"))
    def trainee(self, row: Candidate) -> Any:
        return link_to(row.participation.trainee)

    @display(description=_("trainee"), ordering="participation__trainee__number")
    def person(self, row: Candidate) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"))
    def trainee_county(self, row: Candidate) -> str:
        return row.participation.trainee.county.name

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Candidate) -> str:
        return row.participation.trainee.county.name

    @display(description=_("followers that day"), ordering="followers")
    def reached(self, row: Candidate) -> str:
        return number(row.followers)

    @display(description=_("leap of followers"), ordering="is_flagged", label={"flagged": "warning"})
    def flag(self, row: Any) -> tuple[str, Any] | str:
        return ("flagged", _("not explained")) if row.is_flagged else "-"

    @display(
        description=_("state"),
        ordering="state",
        label=Colours(
            {
                CandidateState.HOLDING: "default",
                CandidateState.PENDING: "info",
                CandidateState.ASKED: "warning",
                CandidateState.PROPOSED: "primary",
                CandidateState.LAPSED: "default",
                CandidateState.APPROVED: "success",
                CandidateState.REFUSED: "danger",
            }
        ),
    )
    def state_label(self, row: Candidate) -> tuple[str, str]:
        return row.state, row.get_state_display()

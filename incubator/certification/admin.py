"""The staff desk's pages of this room: candidates with their evidence side by side, awards with theirs frozen."""

from collections.abc import Iterator
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
from incubator.certification.choices import CandidateState
from incubator.certification.models import Award, Badge, Candidate, Rule
from incubator.certification.queries import leaps_of, looked_at_since, with_flag
from incubator.certification.services import approve_candidate, publish_rule, refuse_candidate, withdraw_award
from incubator.common.charts import line_chart
from incubator.common.dates import moment
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Colours,
    Happening,
    Move,
    NoQuestions,
    Part,
    QuestionFilter,
    ReadOnlyAdmin,
    ScopedAdmin,
    Section,
    extend_desk,
    facts,
    link_to,
    number,
    table,
)
from incubator.metrics.queries import FRESH_DAYS, history
from incubator.programmes.models import Participation
from trainees.desk import SearchedByPerson
from trainees.models import Trainee
from trainees.queries import person_q

CHART_BEFORE, CHART_AFTER = timedelta(days=60), timedelta(days=30)
TABLE_AROUND = timedelta(days=3)


UNEXPLAINED = _(
    "No traffic grant explains a leap below. New works could; works are not read, so look at the account itself. "
    "Approving needs a remark that says why the followers are believed."
)


class Approval(NoQuestions):
    """Asks for a remark, which an unexplained leap makes necessary."""

    remark = forms.CharField(
        label=_("Remark (needed where a leap of followers is not explained)"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class LongReason(NoQuestions):
    """Asks why, at the length the trainee will read."""

    reason = forms.CharField(label=_("Reason"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


# --- Badges and rules -------------------------------------------------------------------------------------------------


@admin.register(Badge)
class BadgeAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "code"]
    search_fields = ["name", "code"]


@admin.register(Rule)
class RuleAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["badge", "version", "followers", "is_strict", "published_at"]
    list_display_links = ["badge", "version"]
    list_filter = ["badge"]
    list_select_related = ["badge"]
    fields = [("badge", "version"), ("followers", "is_strict"), "published_at"]
    readonly_fields = ["published_at"]
    moves = [
        Move(
            "publish",
            _("Publish"),
            publish_rule,
            states=["draft"],
            state_of=lambda rule: "published" if rule.published_at else "draft",
            is_main=True,
        )
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A published version stays as it is: what it earned rests on it."""
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)


# --- Candidates -------------------------------------------------------------------------------------------------------


def rule_sentence(rule: Rule) -> str:
    sentence = (
        gettext("More than %(count)s followers on a day of the support period")
        if rule.is_strict
        else gettext("At least %(count)s followers on a day of the support period")
    )
    return sentence % {"count": number(rule.followers)}


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
    return (candidate.crossed_on - starts_on).days + 1 if starts_on else "-"


def _readings(request: HttpRequest, candidate: Candidate) -> Section:
    day, participation = candidate.crossed_on, candidate.participation
    points = history([candidate.account_id], since=day - CHART_BEFORE, until=day + CHART_AFTER)[candidate.account_id]
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
    if candidate.state == CandidateState.PENDING:
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
        "pending": (_("to be reviewed"), lambda rows: rows.filter(state=CandidateState.PENDING)),
        "approved": (_("approved"), lambda rows: rows.filter(state=CandidateState.APPROVED)),
        "refused": (_("refused"), lambda rows: rows.filter(state=CandidateState.REFUSED)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "pending"


def _approve(candidate: Candidate, *, by: Any, remark: str = "") -> None:
    approve_candidate(candidate, by=by, on=timezone.localdate(), remark=remark)


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
        Move("approve", _("Approve"), _approve, form=Approval, states=[CandidateState.PENDING], is_main=True),
        Move("refuse", _("Refuse"), refuse_candidate, form=LongReason, states=[CandidateState.PENDING]),
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
                CandidateState.PENDING: "info",
                CandidateState.APPROVED: "success",
                CandidateState.REFUSED: "danger",
            }
        ),
    )
    def state_label(self, row: Candidate) -> tuple[str, str]:
        return row.state, row.get_state_display()


# --- Awards -----------------------------------------------------------------------------------------------------------


def _frozen(request: HttpRequest, award: Award) -> Section:
    """The evidence as it was when the award was given; never read from today's rows."""
    evidence = award.evidence
    rule, reading = evidence.get("rule", {}), evidence.get("reading", {})
    participation, graduation = evidence.get("participation", {}), evidence.get("graduation", {})
    decided = evidence.get("decided", {})
    columns = [
        facts(
            _("Rule"),
            [
                (_("badge"), rule.get("badge")),
                (_("version"), rule.get("version")),
                (_("followers"), number(rule.get("followers", 0))),
                (_("more than the number"), _("yes") if rule.get("strict") else _("no")),
            ],
        ),
        facts(
            _("Reading"),
            [
                (_("account number"), reading.get("handle")),
                (_("day"), reading.get("day")),
                (_("followers"), number(reading.get("followers", 0))),
                (_("fetched at"), reading.get("fetched_at")),
            ],
        ),
        facts(
            _("Participation"),
            [
                (_("cohort"), participation.get("cohort")),
                (_("graduated on"), participation.get("graduated_on")),
                (_("support from"), participation.get("support_starts_on")),
                (_("support until"), participation.get("support_ends_on")),
            ],
        ),
        facts(
            _("Graduation and decision"),
            [
                (_("days attended"), graduation.get("days", "-")),
                (_("class hours that count"), graduation.get("counted_hours", "-")),
                (_("decided by"), decided.get("by")),
                (_("decided at"), decided.get("at")),
                (_("remark"), decided.get("remark") or "-"),
            ],
        ),
    ]
    html = render_to_string("admin/desk/columns.html", {"columns": columns}) + _frozen_leaps(evidence)
    return Section(_("Evidence, frozen with the award"), html)


def _frozen_leaps(evidence: dict[str, Any]) -> SafeString:
    """Leaps that were known at the decision; nothing for awards from before leaps were noted."""
    if "leaps" not in evidence:
        return SafeString("")
    rows = [
        (leap["day"], f"+{leap['gained']:,}", f"{leap['usual']:+,}", _("yes") if leap["ran_traffic"] else _("no"))
        for leap in evidence["leaps"]
    ]
    headings = [_("leap on"), _("gained a day"), _("usually a day"), _("under a traffic grant")]
    return table("", headings, rows, empty=_("No leap of followers was known.")).html


class WithdrawnFilter(QuestionFilter):
    title = _("withdrawal")
    parameter_name = "withdrawn"
    questions = {
        "no": (_("valid"), lambda rows: rows.filter(withdrawn_at=None)),
        "yes": (_("withdrawn"), lambda rows: rows.exclude(withdrawn_at=None)),
    }


@admin.register(Award)
class AwardAdmin(ReadOnlyAdmin):
    list_display = ["number", "person", "county", "badge", "awarded_on", "awarded_by", "is_valid"]
    list_filter = [WithdrawnFilter, "badge", "trainee__county"]
    list_select_related = ["trainee__county", "badge", "awarded_by"]
    search_fields = ["number"]
    search_help_text = _("Certificate number, or the trainee's number, name, mobile or ID number")
    fields = [
        ("number", "badge"),
        ("trainee", "candidate"),
        ("awarded_on", "awarded_by"),
        ("withdrawn_at", "withdrawn_by", "withdrawal_reason"),
    ]
    sections = [_frozen]
    moves = [
        Move(
            "withdraw",
            _("Withdraw"),
            withdraw_award,
            form=LongReason,
            states=["valid"],
            state_of=lambda award: "withdrawn" if award.withdrawn_at else "valid",
        )
    ]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.upper().startswith("XC-"):
            return queryset.filter(number__startswith=term.upper()), False
        return queryset.filter(person_q(term, "trainee__")), False

    @display(description=_("trainee"), ordering="trainee__number")
    def person(self, row: Award) -> str:
        return str(row.trainee)

    @display(description=_("county"), ordering="trainee__county")
    def county(self, row: Award) -> str:
        return row.trainee.county.name

    @display(description=_("valid"), boolean=True)
    def is_valid(self, row: Award) -> bool:
        return row.withdrawn_at is None


# --- Added to the pages of trainees and participations ----------------------------------------------------------------


def _awards(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("certification.view_award"):
        return None
    part = Part.of(Award.objects.visible_to(request.user).filter(trainee=trainee).select_related("badge"))
    rows = [
        (link_to(a, a.number), a.badge, a.awarded_on, _("withdrawn") if a.withdrawn_at else _("valid"))
        for a in part.rows
    ]
    headings = [_("certificate number"), _("badge"), _("awarded on"), _("state")]
    more = part.link(Award, trainee.number)
    return table(_("Awards"), headings, rows, empty=_("None."), more=more, note=part.count)


def _candidacies(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("certification.view_candidate"):
        return None
    found = Candidate.objects.visible_to(request.user).filter(participation__trainee=trainee)
    part = Part.of(found.select_related("rule__badge"))
    rows = [
        (link_to(c, c.rule), c.crossed_on, number(c.followers), c.get_state_display(), c.reason or "-")
        for c in part.rows
    ]
    headings = [_("rule"), _("reached on"), _("followers that day"), _("state"), _("reason")]
    more = part.link(Candidate, trainee.number, decision="all")
    return table(_("Candidacies"), headings, rows, empty=_("None."), more=more, note=part.count)


def _decisions(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    """Candidacies decided and awards withdrawn."""
    if not request.user.has_perm("certification.view_candidate"):
        return
    own = Candidate.objects.visible_to(request.user).filter(participation__trainee=trainee)
    decided: Any = own.exclude(decided_at=None).select_related("rule__badge", "decided_by", "award__withdrawn_by")
    for candidate in decided.order_by("-decided_at")[:HAPPENINGS_SHOWN]:
        words = f"{candidate.rule} · {candidate.get_state_display()}"
        yield Happening(candidate.decided_at, words, candidate.decided_by, candidate.reason)
        award = getattr(candidate, "award", None)
        if award is not None and award.withdrawn_at:
            words = gettext("Award %(number)s withdrawn") % {"number": award.number}
            yield Happening(award.withdrawn_at, words, award.withdrawn_by, award.withdrawal_reason)


extend_desk(Trainee, sections=[_candidacies, _awards], happenings=[_decisions])
extend_desk(Participation, sections=[lambda request, participation: _awards(request, participation.trainee)])

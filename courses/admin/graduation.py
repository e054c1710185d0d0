"""Graduation: decisions and their figures, what became questionable, and the rules."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanSwitchWidget

from courses.admin.classes import ChooseClass
from courses.admin.deciding import cohort_view, of_needed
from courses.choices import CourseKind
from courses.models import Graduation, GraduationHold, GraduationQuestion, GraduationRule, TrainingClass
from courses.queries import KINDS, RULE_NUMBERS, class_hours, ready_to_graduate, training_standings
from courses.services import enrol, graduate_all, revoke_graduation, set_graduation_rule, uphold_graduation
from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Day,
    Move,
    QuestionFilter,
    ReadOnlyAdmin,
    Reason,
    ScopedAdmin,
    Section,
    adopt,
    columns,
    extend_desk,
    facts,
    link_to,
    link_where_open,
    table,
)
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation
from trainees.desk import SearchedByPerson
from trainees.queries import SEARCH_HELP

# --- Figures ----------------------------------------------------------------------------------------------------------

HOURS_OF = {
    CourseKind.GENERAL: _("General hours"),
    CourseKind.PROFESSIONAL: _("Professional hours"),
    CourseKind.PRACTICE: _("Practice hours"),
    CourseKind.VISIT: _("Visit hours"),
}


def graduation_facts(figures: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The figures of a standing or a decision with their names: what there is, what is asked, what counts at most.

    What older decisions did not keep is a dash; unknown is never 0.
    """
    kinds = [(HOURS_OF[CourseKind(kind)], _hours(figures, kind)) for kind in KINDS]
    return [
        (_("Days attended"), of_needed(figures.get("days"), figures.get("min_days"))),
        (_("Class hours that count"), of_needed(figures.get("counted_hours"), figures.get("min_hours"))),
        *kinds,
        (_("Attendance"), _attendance(figures)),
        (_("Assessments to pass"), _assessments(figures)),
    ]


def _hours(figures: dict[str, Any], kind: str) -> str:
    minutes, cap = figures.get(f"{kind}_minutes"), figures.get(f"{kind}_hours_cap")
    text = of_needed(None if minutes is None else class_hours(minutes), figures.get(f"min_{kind}_hours"))
    return text if cap is None else gettext("%(hours)s, at most %(cap)s count") % {"hours": text, "cap": cap}


def _attendance(figures: dict[str, Any]) -> str:
    attended, due = figures.get("attended_minutes"), figures.get("due_minutes")
    share = None if attended is None or not due else attended * 100 // due
    return of_needed(share, figures.get("min_attendance_percent"), " %")


def _assessments(figures: dict[str, Any]) -> str:
    still_open = figures.get("open_assessments")
    if still_open is None:
        return "-"
    if figures.get("needs_assessments") is False:
        return gettext("%(count)s, not asked by the rule") % {"count": still_open}
    return str(still_open)


# --- Graduations ------------------------------------------------------------------------------------------------------


def _figures(request: HttpRequest, graduation: Graduation) -> Section:
    return facts(_("Figures the decision rested on"), graduation_facts(graduation.facts))


def _asked(request: HttpRequest, graduation: Graduation) -> Section | None:
    """Questions about this graduation, the newest first."""
    found = graduation.questions.select_related("answered_by").order_by("-pk")
    rows = [
        (
            link_where_open(request, question, moment(question.opened_at)),
            question.cause,
            question.get_answer_display() or pgettext("question", "open"),
            question.answered_by or "-",
            question.reason or "-",
        )
        for question in found
    ]
    headings = [_("asked at"), _("cause"), _("answer"), _("by"), _("reason")]
    return table(_("Questions about this graduation"), headings, rows) if rows else None


class StandingFilter(QuestionFilter):
    title = _("does it hold?")
    parameter_name = "holds"
    questions = {
        "live": (pgettext_lazy("graduation", "holds"), lambda rows: rows.filter(revoked_at=None)),
        "revoked": (_("taken back"), lambda rows: rows.exclude(revoked_at=None)),
        "override": (_("against the proposal"), lambda rows: rows.filter(is_override=True)),
    }


@admin.register(Graduation)
class GraduationAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = [
        "person",
        "cohort",
        "graduated_on",
        "rule_number",
        "is_override",
        "decided_by",
        "decided_at",
        "holds",
    ]
    list_filter = [StandingFilter, "participation__cohort", "participation__trainee__county"]
    list_select_related = ["participation__trainee", "participation__cohort__programme", "rule", "decided_by"]
    search_fields = ["participation__trainee__number"]
    search_help_text = SEARCH_HELP
    fields = [
        ("participation", "cohort"),
        ("graduated_on", "decided_by", "decided_at"),
        ("rule_number", "is_override", "reason"),
        ("decided_for", "holds"),
    ]
    readonly_fields = ["cohort", "rule_number", "decided_for", "holds"]
    sections = [_figures, _asked]

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.cohort_view)
        return [path("cohort/<int:cohort_id>/", view, name="courses_graduation_cohort"), *super().get_urls()]

    def cohort_view(self, request: HttpRequest, cohort_id: int) -> HttpResponse:
        return cohort_view(self, request, cohort_id)

    @display(description=_("trainee"))
    def person(self, row: Graduation) -> str:
        return str(row.participation.trainee)

    @display(description=_("cohort"))
    def cohort(self, row: Graduation) -> str:
        return str(row.participation.cohort)

    @display(description=_("rule version"), ordering="rule__number")
    def rule_number(self, row: Graduation) -> Any:
        return row.rule.number if row.rule else "-"

    @display(description=_("decided for"))
    def decided_for(self, row: Graduation) -> str:
        return str(row.decision or "-")

    @display(description=_("does it hold?"), ordering="revoked_at")
    def holds(self, row: Graduation) -> str:
        if row.revoked_at is None:
            return pgettext("graduation", "holds")
        return gettext("taken back %(moment)s") % {"moment": moment(row.revoked_at)}


# --- Questions --------------------------------------------------------------------------------------------------------


def open_questions(rows: QuerySet) -> QuerySet:
    return rows.filter(pk__in=GraduationQuestion.objects.open().values("pk"))


class AnswerFilter(QuestionFilter):
    title = _("answer")
    parameter_name = "question"
    questions = {
        "open": (pgettext_lazy("question", "open"), open_questions),
        "answered": (pgettext_lazy("question", "answered"), lambda rows: rows.exclude(answer="")),
    }


def _before_and_now(request: HttpRequest, question: GraduationQuestion) -> Section:
    """Both figures side by side, what differs in bold."""
    before, now = graduation_facts(question.graduation.facts), graduation_facts(question.facts)
    rows = [
        (name, was, format_html("<b>{}</b>", became) if was != became else became)
        for (name, was), (_name, became) in zip(before, now, strict=True)
    ]
    headings = [_("figure"), _("when it was decided"), _("when it was asked")]
    return table(_("Before and now"), headings, rows)


def _uphold(row: GraduationQuestion, *, by: Any, reason: str) -> None:
    uphold_graduation(row, by=by, reason=reason)


def _revoke(row: GraduationQuestion, *, by: Any, reason: str) -> None:
    revoke_graduation(row, by=by, reason=reason)


@admin.register(GraduationQuestion)
class GraduationQuestionAdmin(SearchedByPerson, ReadOnlyAdmin):
    """Something was corrected after somebody graduated. The graduation stands until a person decides otherwise."""

    person_path = "graduation__participation__trainee"
    list_display = [
        "person",
        "cohort",
        "graduated_on",
        "cause",
        "opened_at",
        "hours_before",
        "hours_now",
        "answer_label",
    ]
    list_filter = [AnswerFilter, "graduation__participation__cohort", "graduation__participation__trainee__county"]
    list_select_related = [
        "graduation__participation__trainee",
        "graduation__participation__cohort__programme",
        "answered_by",
    ]
    search_fields = ["graduation__participation__trainee__number"]
    search_help_text = SEARCH_HELP
    fields = [
        ("person_link", "cohort"),
        ("graduated_on", "opened_at"),
        "cause",
        ("answer_label", "answered_at"),
        "reason",
    ]
    readonly_fields = ["person_link", "cohort", "graduated_on", "answer_label"]
    sections = [_before_and_now]
    moves = [
        Move("uphold", _("The graduation stands"), _uphold, form=Reason, states=[""], state_of=lambda row: row.answer),
        Move(
            "revoke", _("Take the graduation back"), _revoke, form=Reason, states=[""], state_of=lambda row: row.answer
        ),
    ]

    @display(description=_("trainee"))
    def person(self, row: GraduationQuestion) -> str:
        return str(row.graduation.participation.trainee)

    @display(description=_("trainee"))
    def person_link(self, row: GraduationQuestion) -> Any:
        return link_to(row.graduation, row.graduation.participation.trainee)

    @display(description=_("cohort"))
    def cohort(self, row: GraduationQuestion) -> str:
        return str(row.graduation.participation.cohort)

    @display(description=_("graduated on"), ordering="graduation__graduated_on")
    def graduated_on(self, row: GraduationQuestion) -> date:
        return row.graduation.graduated_on

    @display(description=_("hours before"))
    def hours_before(self, row: GraduationQuestion) -> str:
        return row.graduation.facts.get("counted_hours", "-")

    @display(description=_("hours now"))
    def hours_now(self, row: GraduationQuestion) -> str:
        return row.facts.get("counted_hours", "-")

    @display(description=_("answer"), ordering="answer", label=Colours({"": "warning"}))
    def answer_label(self, row: GraduationQuestion) -> tuple[str, str]:
        return row.answer, row.get_answer_display() or pgettext("question", "open")


# --- Rules ------------------------------------------------------------------------------------------------------------


@admin.register(GraduationRule)
class GraduationRuleAdmin(ScopedAdmin):
    """Versions of the rules. What is entered becomes the next version of its cohort; none is ever changed."""

    is_reference = True
    names_nobody = True
    may_edit = False
    list_display = [
        "cohort",
        "number",
        "min_days",
        "min_hours",
        "kinds",
        "percent",
        "needs_assessments",
        "holds",
        "made_at",
    ]
    list_filter = ["cohort"]
    list_select_related = ["cohort__programme", "made_by"]
    search_fields = ["cohort__name"]
    ordering = ["-cohort", "-number"]
    fieldsets = [
        (None, {"fields": ["cohort", ("min_days", "min_hours")]}),
        (
            _("Hours by kind"),
            {"fields": [(f"min_{kind}_hours", f"{kind}_hours_cap") for kind in KINDS]},
        ),
        (_("Beside hours"), {"fields": [("min_attendance_percent", "needs_assessments")]}),
        (_("Version"), {"fields": ["note"]}),
    ]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With a cohort named, what its present version says."""
        asked = super().get_changeform_initial_data(request)
        try:
            rule = GraduationRule.objects.current().filter(cohort=asked.get("cohort") or None).first()
        except ValueError:  # no number
            return {}
        return asked | ({name: getattr(rule, name) for name in RULE_NUMBERS} if rule else {})

    def save_model(self, request: HttpRequest, obj: GraduationRule, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in RULE_NUMBERS}
        adopt(obj, set_graduation_rule(obj.cohort, by=request.user, note=form.cleaned_data["note"], **said))

    @display(description=_("hours by kind"))
    def kinds(self, row: GraduationRule) -> str:
        return rule_of_kinds(row)

    @display(description=_("attendance"), ordering="min_attendance_percent")
    def percent(self, row: GraduationRule) -> str:
        return f"{row.min_attendance_percent} %"

    @display(description=_("in force"), boolean=True)
    def holds(self, row: GraduationRule) -> bool:
        return row.replaced_at is None


def rule_of_kinds(rule: GraduationRule) -> str:
    """``professional 16.0; general 0.0, at most 8.0 count``: the kinds of which something is said."""
    said = []
    for kind in KINDS:
        least, cap = getattr(rule, f"min_{kind}_hours"), getattr(rule, f"{kind}_hours_cap")
        if not least and cap is None:
            continue
        hours = (
            str(least) if cap is None else gettext("%(hours)s, at most %(cap)s count") % {"hours": least, "cap": cap}
        )
        said.append(f"{CourseKind(kind).label} {hours}")
    return "; ".join(said) or "-"


def _rules(request: HttpRequest, cohort: Cohort) -> Section | None:
    """The versions of the cohort's rule, the present one first, and where the next one is entered."""
    if not request.user.has_perm("courses.view_graduationrule"):
        return None
    rows = [
        (
            link_where_open(request, rule, rule.number),
            rule.min_days,
            rule.min_hours,
            rule_of_kinds(rule),
            f"{rule.min_attendance_percent} %",
            gettext("yes") if rule.needs_assessments else gettext("no"),
            rule.note or "-",
            rule.made_by or "-",
            moment(rule.made_at),
        )
        for rule in cohort.graduation_rules.select_related("made_by", "cohort__programme").order_by("-number")
    ]
    headings = [
        pgettext_lazy("of a version", "number"),
        _("days at least"),
        _("counted hours at least"),
        _("hours by kind"),
        _("attendance"),
        _("assessments"),
        _("what changed"),
        _("by"),
        _("at"),
    ]
    empty = _("No rule yet: nobody can graduate.")
    versions = table("", headings, rows, empty=empty)
    return columns(_("Graduation rule"), [versions, Section("", _rule_links(request, cohort, has_rule=bool(rows)))])


def _rule_links(request: HttpRequest, cohort: Cohort, *, has_rule: bool) -> SafeString:
    links = []
    if request.user.has_perm("courses.add_graduationrule"):
        url = f"{reverse('admin:courses_graduationrule_add')}?cohort={cohort.pk}"
        links.append((url, _("Change the rule") if has_rule else _("Enter the rule")))
    if has_rule and request.user.has_perm("courses.add_graduation"):
        links.append((reverse("admin:courses_graduation_cohort", args=[cohort.pk]), _("Decide graduation")))
    link = '<a class="desk-link" href="{}">{}</a>'
    return format_html('<p class="desk-links">{}</p>', format_html_join("", link, links)) if links else SafeString("")


# --- Participations ---------------------------------------------------------------------------------------------------


class GraduationDay(Day):
    """Asks on which day they graduate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate


class ClassAndQueue(ChooseClass):
    """Asks for a class, and what happens to people for whom it has no place."""

    queue = forms.BooleanField(
        label=_("Put on the waiting list who finds no place"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def _enrol(rows: Sequence[Participation], *, by: Any, training_class: TrainingClass, queue: bool = False) -> None:
    enrol(rows, training_class=training_class, by=by, queue=queue)


def _graduate(row: Participation, *, by: Any, on: date) -> None:
    graduate_all([row], on=on, by=by)


class ReadyFilter(QuestionFilter):
    title = _("graduation")
    parameter_name = "graduation"
    questions = {"ready": (_("ready to graduate"), ready_to_graduate)}


def _standing(request: HttpRequest, participation: Participation) -> Section | None:
    """How far somebody is, why not if so, and what was decided about them."""
    standing = training_standings([participation]).get(participation.pk)
    if standing is None:
        return None
    pairs = graduation_facts(standing.facts())
    pairs.append((_("Rule version"), standing.rule.number))
    missing = standing.missing()
    pairs.append((_("Still missing"), gettext(", ").join(missing) if missing else _("Nothing")))
    parts = [facts("", pairs), *_decided(request, participation)]
    return columns(_("Training"), parts) if len(parts) > 1 else facts(_("Training"), pairs)


def _decided(request: HttpRequest, participation: Participation) -> Iterable[Section]:
    if not request.user.has_perm("courses.view_graduation"):
        return
    graduations = participation.graduations.select_related("decided_by", "rule").order_by("pk")
    holds = GraduationHold.objects.filter(participation=participation).select_related("decision__by").order_by("pk")
    rows = [
        (g.decided_at, link_where_open(request, g, _outcome(g)), g.decided_by, g.reason or "-") for g in graduations
    ]
    rows += [(h.decision.at, _("kept back from graduation"), h.decision.by, h.reason) for h in holds]
    rows.sort(key=lambda row: row[0])
    if rows:
        headings = [_("at"), _("decision"), _("by"), _("reason")]
        yield table(_("Decisions"), headings, [(moment(at), *rest) for at, *rest in rows])
    asked = GraduationQuestion.objects.open().filter(graduation__participation=participation)
    if questions := list(asked):
        rows_asked = [(moment(q.opened_at), link_where_open(request, q, q.cause)) for q in questions]
        yield table(_("Open questions"), [_("asked at"), _("cause")], rows_asked)


def _outcome(graduation: Graduation) -> str:
    outcome = gettext("graduated on %(day)s") % {"day": date_format(graduation.graduated_on, "DATE_FORMAT")}
    if graduation.is_override:
        outcome += " · " + gettext("against the proposal")
    return outcome + " · " + gettext("taken back") if graduation.revoked_at else outcome


extend_desk(
    Participation,
    filters=[ReadyFilter],
    sections=[_standing],
    moves=[
        Move(
            "enrol",
            _("Put into a class"),
            _enrol,
            form=ClassAndQueue,
            states=[ParticipationState.ADMITTED, ParticipationState.TRAINING],
            permission="courses.add_enrolment",
            together=True,
        ),
        Move(
            "graduate",
            _("Graduate"),
            _graduate,
            form=GraduationDay,
            states=[ParticipationState.TRAINING],
            permission="courses.add_graduation",
            is_main=True,
        ),
    ],
)
extend_desk(Cohort, sections=[_rules])

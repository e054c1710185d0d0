"""Candidates: the list by what waits, the page with its evidence, and several side by side."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.admin import evidence
from incubator.certification.admin.forms import LongReason, Proposal, Question, Reply
from incubator.certification.admin.review import MOST, review_view
from incubator.certification.choices import IN_REVIEW, CandidateState
from incubator.certification.models import Candidate
from incubator.certification.queries import holding_of, with_flag, with_open_flag
from incubator.certification.services import (
    answer_question,
    approve_candidate,
    ask_back,
    propose_candidate,
    refuse_candidate,
)
from incubator.common.desk import Colours, Move, QuestionFilter, ReadOnlyAdmin, link_to, number
from trainees.desk import SearchedByPerson

S = CandidateState


def in_state(*states: str) -> Any:
    return lambda rows: rows.filter(state__in=states)


class DecisionFilter(QuestionFilter):
    """Shows what waits for a decision unless asked for something else."""

    title = _("decision")
    parameter_name = "decision"
    all_option = None
    questions = {
        "review": (pgettext_lazy("candidate", "in review"), in_state(*IN_REVIEW)),
        "pending": (_("to be reviewed"), in_state(S.PENDING)),
        "asked": (_("asked back"), in_state(S.ASKED)),
        "proposed": (_("to be approved"), in_state(S.PROPOSED)),
        "holding": (_("holding the number"), in_state(S.HOLDING)),
        "approved": (_("approved"), in_state(S.APPROVED)),
        "refused": (_("refused"), in_state(S.REFUSED)),
        "lapsed": (_("no longer meets the rule"), in_state(S.LAPSED)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "review"


class LeapFilter(QuestionFilter):
    title = _("leap of followers")
    parameter_name = "leap"
    questions = {
        "unexplained": (_("not explained"), lambda rows: rows.filter(is_flagged=True)),
        "none": (_("none, or explained"), lambda rows: rows.filter(is_flagged=False)),
    }


class OpenFlagFilter(QuestionFilter):
    title = _("question about followers")
    parameter_name = "flag"
    questions = {
        "open": (_("open"), lambda rows: rows.filter(has_open_flag=True)),
        "none": (_("none open"), lambda rows: rows.filter(has_open_flag=False)),
    }


def _approve(candidate: Candidate, *, by: Any) -> None:
    approve_candidate(candidate, by=by, on=timezone.localdate())


def _why_not_approve(candidate: Candidate, user: Any) -> str:
    if candidate.proposed_by_id == user.pk:
        return gettext("You proposed this yourself. A second person must approve it.")
    return ""


@admin.register(Candidate)
class CandidateAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["person", "county", "rule", "state_label", "crossed_on", "reached", "held", "doubts", "found_on"]
    list_filter = [DecisionFilter, LeapFilter, OpenFlagFilter, "rule", "participation__trainee__county"]
    list_before_template = "admin/certification/candidate_tabs.html"
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
    sections = [
        evidence.met_section,
        evidence.leaps_section,
        evidence.flags_section,
        evidence.evidence_section,
        evidence.readings_section,
        evidence.decision_section,
        evidence.timeline_section,
    ]
    actions = ["review_chosen"]
    moves = [
        Move("propose", _("Propose"), propose_candidate, form=Proposal, states=[S.PENDING, S.ASKED], is_main=True),
        Move("approve", _("Approve"), _approve, states=[S.PROPOSED], is_main=True, why_not=_why_not_approve),
        Move("ask", _("Ask back"), ask_back, form=Question, states=[S.PENDING, S.PROPOSED]),
        Move(
            "answer",
            _("Answer"),
            answer_question,
            form=Reply,
            states=[S.ASKED],
            permission="certification.answer_candidate",
        ),
        Move("refuse", _("Refuse"), refuse_candidate, form=LongReason, states=list(IN_REVIEW)),
    ]

    class Media:
        css = {"all": ["admin/certification.css"]}

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return with_open_flag(with_flag(rows))

    def get_urls(self) -> list:
        review = self.admin_site.admin_view(self.review_page)
        return [path("review/", review, name="certification_candidate_review"), *super().get_urls()]

    def review_page(self, request: HttpRequest) -> HttpResponse:
        return review_view(self, request)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        tabs = self._tabs(request) if self.has_view_permission(request) else []
        return super().changelist_view(request, {"state_tabs": tabs, **(extra_context or {})})

    def _tabs(self, request: HttpRequest) -> list[tuple[Any, str, int, bool]]:
        """``(label, address, how many, whether it is shown now)`` of each state; one query."""
        own = Candidate.objects.visible_to(request.user).order_by()
        counts = dict(own.values_list("state").annotate(count=Count("pk")))
        counts["review"] = sum(counts.get(state, 0) for state in IN_REVIEW)
        counts["all"] = sum(count for state, count in counts.items() if state in S.values)
        now = request.GET.get("decision") or "review"
        return [
            (label, f"?{urlencode({'decision': name})}", counts.get(name, 0), name == now)
            for name, (label, _narrow) in DecisionFilter.questions.items()
        ]

    def has_review_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("certification.change_candidate")

    @admin.action(description=_("Look at them side by side"), permissions=["review"])
    def review_chosen(self, request: HttpRequest, rows: QuerySet) -> HttpResponse:
        """The chosen ones side by side."""
        ids = list(rows.values_list("pk", flat=True)[: MOST + 1])
        if len(ids) > MOST:
            words = gettext("The first %(count)d of them are shown; more than that cannot be compared.")
            messages.warning(request, words % {"count": MOST})
        url = reverse("admin:certification_candidate_review")
        return HttpResponseRedirect(f"{url}?{urlencode({'ids': ','.join(map(str, ids[:MOST]))}, safe=',')}")

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

    @display(description=_("held"))
    def held(self, row: Candidate) -> str:
        """Since when, and how long still; a dash where the rule asks for a day only."""
        return "-" if holding_of(row) is None else evidence.held_words(row)

    @display(description=_("doubts"), label={"flagged": "warning"})
    def doubts(self, row: Any) -> tuple[str, Any] | str:
        words = [_("leap not explained")] if row.is_flagged else []
        words += [_("open question")] if row.has_open_flag else []
        return ("flagged", " · ".join(map(str, words))) if words else "-"

    @display(
        description=_("state"),
        ordering="state",
        label=Colours(
            {
                S.HOLDING: "default",
                S.PENDING: "info",
                S.ASKED: "warning",
                S.PROPOSED: "primary",
                S.LAPSED: "default",
                S.APPROVED: "success",
                S.REFUSED: "danger",
            }
        ),
    )
    def state_label(self, row: Candidate) -> tuple[str, str]:
        return row.state, row.get_state_display()

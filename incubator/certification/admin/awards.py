"""Awards with their evidence frozen."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.admin.forms import LongReason
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.common.desk import (
    Move,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    facts,
    number,
    table,
)
from trainees.queries import person_q


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

"""Awards with their evidence frozen."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.admin.dossiers import dossier_urls, frozen
from incubator.certification.admin.forms import LongReason
from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.common.desk import (
    Move,
    QuestionFilter,
    ReadOnlyAdmin,
)
from trainees.queries import person_q


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
    sections = [frozen]
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

    def get_urls(self) -> list:
        return [*dossier_urls(self), *super().get_urls()]

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

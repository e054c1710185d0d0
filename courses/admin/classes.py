"""Institutions, classes with their timetable and people."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from courses.models import Enrolment, InstitutionPosting, Session, TrainingClass, TrainingInstitution
from courses.queries import training_standings
from incubator.common.desk import ScopedAdmin, ScopedInline, Section, link_to, table


class InstitutionPostingInline(ScopedInline):
    model = InstitutionPosting
    is_part_of_parent = True
    autocomplete_fields = ["user"]


@admin.register(TrainingInstitution)
class TrainingInstitutionAdmin(ScopedAdmin):
    list_display = ["name", "region", "contact"]
    list_filter = ["region"]
    list_select_related = ["region"]
    search_fields = ["name"]
    autocomplete_fields = ["region"]
    inlines = [InstitutionPostingInline]


class SessionInline(ScopedInline):
    model = Session
    autocomplete_fields = ["version"]
    fields = ["version", "starts_at", "ends_at", "room", "lecturer"]
    can_delete = False
    show_change_link = True


def _people(request: HttpRequest, training_class: TrainingClass) -> Section:
    enrolments = Enrolment.objects.visible_to(request.user).filter(training_class=training_class)
    people = [e.participation for e in enrolments.select_related("participation__trainee__county")]
    standings = training_standings(people)
    rows = [
        (link_to(p, p.trainee), p.trainee.county, p.get_state_display(), _hours(standings.get(p.pk))) for p in people
    ]
    title = gettext("People in this class (%(count)s of %(capacity)s)") % {
        "count": training_class.enrolments.count(),
        "capacity": training_class.capacity,
    }
    headings = [_("trainee"), _("county"), _("state"), _("class hours that count")]
    empty = _("Nobody yet. Choose participations in their list and enrol them from there.")
    return table(title, headings, rows, empty=empty)


def _hours(standing: Any) -> Any:
    return standing.counted_hours if standing else "-"


@admin.register(TrainingClass)
class TrainingClassAdmin(ScopedAdmin):
    is_long = True
    list_display = ["name", "cohort", "region", "place", "people", "capacity"]
    names_nobody = True
    list_filter = ["cohort", "region"]
    list_select_related = ["cohort__programme", "region"]
    search_fields = ["name"]
    autocomplete_fields = ["region"]
    fields = [("cohort", "name"), ("region", "place"), "capacity"]
    inlines = [SessionInline]
    sections = [_people]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(people_count=Count("enrolments"))

    @display(description=_("people"), ordering="people_count")
    def people(self, row: Any) -> int:
        return row.people_count

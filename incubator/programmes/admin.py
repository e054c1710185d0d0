"""The staff desk's pages of this room."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from incubator.common.dates import moment
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Colours,
    Happening,
    Move,
    Part,
    Reason,
    ScopedAdmin,
    Section,
    adopt,
    among,
    extend_desk,
    link_to,
    table,
)
from incubator.programmes.choices import MOVES, ParticipationState
from incubator.programmes.models import Cohort, Participation, ParticipationMove, Programme
from incubator.programmes.services import admit, nominate_trainees, start_training, withdraw
from incubator.programmes.support_admin import SUPPORT_MOVES, SupportFilter, support_section
from incubator.regions.filters import is_narrow
from trainees.desk import SearchedByPerson
from trainees.models import Trainee
from trainees.queries import SEARCH_HELP

STATE_COLOURS = Colours(
    {
        ParticipationState.TRAINING: "info",
        ParticipationState.GRADUATED: "success",
        ParticipationState.WITHDRAWN: "warning",
        ParticipationState.REFUSED: "danger",
    }
)


PERIOD = ("graduated_on", "support_starts_on", "support_ends_on")


@admin.register(Programme)
class ProgrammeAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name"]
    search_fields = ["name"]


@admin.register(Cohort)
class CohortAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "programme", "starts_on", "ends_on", "support_days", "max_age"]
    list_filter = ["programme"]
    list_select_related = ["programme"]
    search_fields = ["name"]
    fieldsets = [
        (None, {"fields": [("programme", "name"), ("starts_on", "ends_on")]}),
        (
            _("Support period"),
            {"fields": [("support_days", "most_extension_days"), ("most_pause_days", "grace_days")]},
        ),
        (
            _("What the rows of a roster must keep to"),
            {
                "fields": [
                    ("min_age", "max_age", "out_of_age"),
                    ("without_id_number", "without_phone", "without_account"),
                ]
            },
        ),
    ]


def states_before(after: ParticipationState) -> list[str]:
    """States from which ``after`` can be reached: where its button is offered."""
    return [before for before, allowed in MOVES.items() if after in allowed]


def _history(request: HttpRequest, participation: Participation) -> Section:
    moves = ParticipationMove.objects.filter(participation=participation).select_related("by")
    rows = [(moment(m.at), str(m), m.by or "-", m.reason) for m in moves]
    return table(_("Changes of state"), [_("at"), _("change"), _("by"), _("reason")], rows, empty=_("None so far."))


@admin.register(Participation)
class ParticipationAdmin(SearchedByPerson, ScopedAdmin):
    person_path = "trainee"
    may_edit = False
    list_display = ["number", "name", "county", "cohort", "state_label", "graduated_on", "support_ends_on"]
    list_display_links = ["number", "name"]
    list_filter = ["state", SupportFilter, "cohort", "trainee__county"]
    list_select_related = ["trainee__county", "cohort__programme"]
    search_fields = ["trainee__number"]
    search_help_text = SEARCH_HELP
    autocomplete_fields = ["trainee"]
    fields = [("trainee", "cohort"), "nominated_on"]
    moves = [
        Move(
            "admit",
            _("Admit"),
            lambda row, by: admit([row], by=by),
            states=states_before(ParticipationState.ADMITTED),
            is_main=True,
        ),
        Move(
            "start_training",
            _("Start training"),
            lambda row, by: start_training([row], by=by),
            states=[ParticipationState.ADMITTED],  # a graduate's way back is the graduation's
            is_main=True,
        ),
        Move(
            "withdraw",
            _("End the participation"),
            withdraw,
            form=Reason,
            states=states_before(ParticipationState.WITHDRAWN),
        ),
        *SUPPORT_MOVES,
    ]

    sections = [support_section, _history]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": [*self.fields, "state", PERIOD] if obj else self.fields})]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"nominated_on": timezone.localdate(), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Participation, form: Any, change: bool) -> None:
        [written] = nominate_trainees([obj.trainee], cohort=obj.cohort, on=obj.nominated_on, by=request.user)
        adopt(obj, written)

    @display(description=_("trainee number"), ordering="trainee__number")
    def number(self, row: Participation) -> str:
        return row.trainee.number

    @display(description=pgettext_lazy("person", "name"), ordering="trainee__name")
    def name(self, row: Participation) -> str:
        return row.trainee.name

    @display(description=_("county"), ordering="trainee__county")
    def county(self, row: Participation) -> str:
        return row.trainee.county.name

    @display(description=_("state"), ordering="state", label=STATE_COLOURS)
    def state_label(self, row: Participation) -> tuple[str, str]:
        return row.state, row.get_state_display()


# --- Added to a trainee's pages ---------------------------------------------------------------------------------------


class ParticipationFilter(DropdownFilter):
    """People with one participation that is all of what the filters of this kind ask for together."""

    lookup = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """The first filter that is asked asks for all of them."""
        asked = [(kind, value) for kind in PARTICIPATION_FILTERS if (value := request.GET.get(kind.parameter_name))]
        if not asked or not isinstance(self, asked[0][0]):
            return queryset
        try:
            found = Participation.objects.filter(**dict(kind.asks(value) for kind, value in asked))
        except ValueError:  # no number
            return queryset.none()
        return among(queryset, found, "trainee", is_narrow=is_narrow(request))

    @classmethod
    def asks(cls, value: str) -> tuple[str, Any]:
        return cls.lookup, value


class ProgrammeFilter(ParticipationFilter):
    title = _("programme")
    parameter_name = "programme"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(row.pk, row.name) for row in Programme.objects.all()]

    @classmethod
    def asks(cls, value: str) -> tuple[str, Any]:
        """By the cohorts' ids, which stand in an index beside the people."""
        return "cohort__in", list(Cohort.objects.filter(programme=int(value)).values_list("pk", flat=True))


class CohortFilter(ParticipationFilter):
    title = _("cohort")
    parameter_name = "cohort"
    lookup = "cohort"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return [(row.pk, str(row)) for row in Cohort.objects.select_related("programme")]


class StateFilter(ParticipationFilter):
    title = _("state of the participation")
    parameter_name = "participation"
    lookup = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return ParticipationState.choices


PARTICIPATION_FILTERS: list[type[ParticipationFilter]] = [ProgrammeFilter, CohortFilter, StateFilter]


@display(description=_("latest participation"))
def latest_state(trainee: Trainee) -> str:
    latest = next(iter(trainee.participations.all()), None)  # newest first, prefetched
    return f"{ParticipationState(latest.state).label} · {latest.cohort.name}" if latest else "-"


def _with_participations(trainees: QuerySet) -> QuerySet:
    return trainees.prefetch_related(Prefetch("participations", Participation.objects.select_related("cohort")))


def _participations(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("programmes.view_participation"):
        return None
    found = Participation.objects.visible_to(request.user).filter(trainee=trainee).select_related("cohort__programme")
    part, today = Part.of(found), timezone.localdate()
    rows = [
        (link_to(p, p.cohort), p.get_state_display(), p.nominated_on, p.graduated_on or "-", _support(p, today))
        for p in part.rows
    ]
    headings = [_("cohort"), _("state"), _("nominated on"), _("graduated on"), _("support period")]
    return table(
        _("Participations"),
        headings,
        rows,
        empty=_("Takes part in no cohort yet."),
        more=part.link(Participation, trainee.number),
        note=part.rows[0].get_state_display() if part.rows else "",
    )


def _support(participation: Participation, today: date) -> str:
    """``2026-06-01 – 2026-11-27, 12 days left``."""
    if participation.support_starts_on is None:
        return "-"
    days = f"{participation.support_starts_on} – {participation.support_ends_on}"
    left = participation.support_days_left(today)
    if not left:
        return days
    sentence = ngettext("%(days)s, %(count)s day left", "%(days)s, %(count)s days left", left)
    return sentence % {"days": days, "count": left}


def _moves(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    if not request.user.has_perm("programmes.view_participation"):
        return
    found = ParticipationMove.objects.filter(
        participation__in=Participation.objects.visible_to(request.user).filter(trainee=trainee)
    ).select_related("by", "participation__cohort")
    for move in found.order_by("-pk")[:HAPPENINGS_SHOWN]:
        yield Happening(move.at, f"{move.participation.cohort.name} · {move}", move.by, move.reason)


extend_desk(
    Trainee,
    columns=[latest_state],
    list_rows=[_with_participations],
    filters=PARTICIPATION_FILTERS,
    sections=[_participations],
    happenings=[_moves],
)

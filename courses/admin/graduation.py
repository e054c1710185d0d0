"""Graduation: the rule of a cohort, decisions, and what became questionable."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from courses.models import Graduation, TrainingClass
from courses.queries import class_hours, ready_to_graduate, training_standings
from courses.services import enrol, graduate_all
from incubator.common.desk import (
    Day,
    Move,
    NoQuestions,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    extend_desk,
    facts,
)
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from trainees.queries import person_q


def _figures(request: HttpRequest, graduation: Graduation) -> Section:
    return facts(_("Figures the decision rested on"), graduation_facts(graduation.facts))


def graduation_facts(figures: dict[str, Any]) -> list[tuple[Any, Any]]:
    """The figures of a graduation with their names."""
    return [
        (_("Days attended"), f"{figures.get('days', '-')} / {figures.get('min_days', '-')}"),
        (_("Class hours that count"), figures.get("counted_hours", "-")),
        (
            _("Professional hours"),
            f"{class_hours(figures.get('professional_minutes', 0))} / {figures.get('min_professional_hours', '-')}",
        ),
        (
            _("General hours (counted at most)"),
            f"{class_hours(figures.get('general_minutes', 0))} ({figures.get('general_hours_cap', '-')})",
        ),
    ]


@admin.register(Graduation)
class GraduationAdmin(ReadOnlyAdmin):
    list_display = ["person", "cohort", "graduated_on", "decided_by", "decided_at"]
    list_filter = ["participation__cohort", "participation__trainee__county"]
    list_select_related = ["participation__trainee", "participation__cohort__programme", "decided_by"]
    search_fields = ["participation__trainee__number"]
    fields = ["participation", ("graduated_on", "decided_by", "decided_at")]
    sections = [_figures]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        wanted = person_q(search_term, "participation__trainee__")
        return (queryset.filter(wanted) if search_term.strip() else queryset), False

    @display(description=_("trainee"))
    def person(self, row: Graduation) -> str:
        return str(row.participation.trainee)

    @display(description=_("cohort"))
    def cohort(self, row: Graduation) -> str:
        return str(row.participation.cohort)


class ChooseClass(NoQuestions):
    """Asks for one of the classes the person may see."""

    training_class = forms.ModelChoiceField(
        label=_("Class"), queryset=TrainingClass.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        chooser: Any = self.fields["training_class"]
        chooser.queryset = TrainingClass.objects.visible_to(request.user).order_by("-pk")


class GraduationDay(Day):
    """Asks on which day they graduate."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = timezone.localdate


def _enrol(rows: Sequence[Participation], *, by: Any, training_class: TrainingClass) -> None:
    enrol(rows, training_class=training_class, by=by)


def _graduate(row: Participation, *, by: Any, on: date) -> None:
    graduate_all([row], on=on, by=by)


class ReadyFilter(QuestionFilter):
    title = _("graduation")
    parameter_name = "graduation"
    questions = {"ready": (_("ready to graduate"), ready_to_graduate)}


def _standing(request: HttpRequest, participation: Participation) -> Section | None:
    standing = training_standings([participation]).get(participation.pk)
    if standing is None:
        return None
    pairs = graduation_facts(standing.facts())
    missing = standing.missing()
    pairs.append((_("Still missing"), gettext(", ").join(missing) if missing else _("Nothing")))
    return facts(_("Training"), pairs)


extend_desk(
    Participation,
    filters=[ReadyFilter],
    sections=[_standing],
    moves=[
        Move(
            "enrol",
            _("Put into a class"),
            _enrol,
            form=ChooseClass,
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

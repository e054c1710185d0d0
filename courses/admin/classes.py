"""Institutions, classes with their timetable and people, and who is in which class."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from courses.admin.deciding import class_view
from courses.choices import EnrolmentState
from courses.due import Due, due_of
from courses.models import (
    CourseVersion,
    Enrolment,
    EnrolmentMove,
    InstitutionPosting,
    Lecturer,
    Session,
    TrainingClass,
    TrainingInstitution,
)
from courses.models.classes import EnrolmentQuerySet
from courses.queries import TrainingStanding, training_standings
from courses.services import enrol, leave_class, plan_sessions, remove_session, transfer
from courses.timetable import clashes, span
from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Move,
    NoQuestions,
    ReadOnlyAdmin,
    Reason,
    ScopedAdmin,
    ScopedInline,
    Section,
    link_to,
    link_where_open,
    table,
)
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from trainees.desk import SearchedByPerson
from trainees.queries import SEARCH_HELP

PEOPLE_SHOWN = 200


class InstitutionPostingInline(ScopedInline):
    """Who works there sees its classes: given by those who manage logins."""

    model = InstitutionPosting
    is_part_of_parent = True
    autocomplete_fields = ["user"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and request.user.has_perm("accounts.change_user")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and request.user.has_perm("accounts.change_user")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and request.user.has_perm("accounts.change_user")


@admin.register(TrainingInstitution)
class TrainingInstitutionAdmin(ScopedAdmin):
    names_nobody = True
    list_display = ["name", "region", "contact", "classes_count"]
    list_filter = ["region"]
    list_select_related = ["region"]
    search_fields = ["name"]
    autocomplete_fields = ["region"]
    inlines = [InstitutionPostingInline]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(class_count=Count("classes"))

    @display(description=_("classes"), ordering="class_count")
    def classes_count(self, row: Any) -> int:
        return row.class_count


# --- The timetable of a class -----------------------------------------------------------------------------------------


class NamedSelect(AutocompleteSelect):
    """A search field that is told the names of what is chosen already, so that thirty rows ask no thirty times."""

    names: Mapping[str, str] = {}

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> list:
        chosen = [v for v in value if v in self.names]
        if not chosen:
            return super().optgroups(name, value, attr)
        options = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
        options += [self.create_option(name, v, self.names[v], True, len(options)) for v in chosen]
        return [(None, options, 0)]


def _names(model: type[Model], of: QuerySet) -> Mapping[str, str]:
    """Names of the rows with those keys, asked for when first needed."""
    return SimpleLazyObject(lambda: {str(row.pk): str(row) for row in model._default_manager.filter(pk__in=of)})  # type: ignore[return-value]


class SessionInline(ScopedInline):
    model = Session
    fields = ["version", "starts_at", "ends_at", "room", "lecturer", "asks_check_out", "attendance"]
    readonly_fields = ["attendance", "taught", "led_by"]
    autocomplete_fields = ["version", "lecturer"]
    show_change_link = True
    ordering = ["starts_at"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj):
            return self.fields
        return ["taught", "starts_at", "ends_at", "room", "led_by", "asks_check_out", "attendance"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Planned wrongly, a session is taken out again; one with marks is protected by them."""
        return self.has_change_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("version", "lecturer", "training_class")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        sessions = Session.objects.filter(training_class=obj)
        self.names = {
            "version": _names(CourseVersion, sessions.values("version")),
            "lecturer": _names(Lecturer, sessions.values("lecturer")),
        }
        return super().get_formset(request, obj, **kwargs)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.names:
            widget = NamedSelect(db_field, self.admin_site, using=kwargs.get("using"))
            widget.names = self.names[db_field.name]
            kwargs["widget"] = widget
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    # Plain, for those who look at a timetable and may open neither page.

    @display(description=_("course"))
    def taught(self, row: Session) -> str:
        return str(row.version)

    @display(description=_("lecturer"))
    def led_by(self, row: Session) -> str:
        return str(row.lecturer or "-")

    @display(description=_("attendance"))
    def attendance(self, row: Session) -> Any:
        if row.pk is None:
            return "-"
        url = reverse("admin:courses_session_attendance", args=[row.pk])
        sheet = format_html('<a class="desk-link" href="{}">{}</a>', url, _("Mark attendance"))
        return format_html("{} ({})", sheet, pgettext("session", "closed")) if row.is_closed else sheet


def _clashes(request: HttpRequest, training_class: TrainingClass) -> Section | None:
    found = clashes(training_class, request.user)
    if not found:
        return None
    rows = [
        (
            span(clash.session.starts_at, clash.session.ends_at),
            clash.session.version.title,
            _("room %(name)s") % {"name": clash.session.room}
            if clash.is_room
            else _("lecturer %(name)s") % {"name": clash.session.lecturer},
            link_where_open(request, clash.other_class) if clash.other_class else gettext("another class"),
            span(clash.starts_at, clash.ends_at),
        )
        for clash in found
    ]
    headings = [_("session"), _("course"), _("wanted twice"), _("also by"), pgettext_lazy("time", "when")]
    return table(_("Clashes with other classes (%(count)s)") % {"count": len(found)}, headings, rows)


# --- What is due next -------------------------------------------------------------------------------------------------


def _due(request: HttpRequest, training_class: TrainingClass) -> Section:
    due = due_of(training_class, request.user, at=timezone.now())
    rows = [*_due_sessions(request, due), *_due_results(request, due), *_due_of_people(request, due, training_class)]
    empty = _("Nothing: every session that is over is closed, and nobody waits for a decision.")
    return table(_("What is due next"), [_("what"), _("how far"), pgettext_lazy("class", "do")], rows, empty=empty)


def _due_sessions(request: HttpRequest, due: Due) -> Iterator[Sequence[Any]]:
    for session in due.sessions:
        what = gettext("Session of %(from)s is over and not closed") % {
            "from": span(session.starts_at, session.ends_at)
        }
        marked = gettext("%(count)s of %(all)s marked") % {"count": session.marked, "all": due.people}  # type: ignore[attr-defined]
        yield what, marked, _sheet_link(request, session)


def _sheet_link(request: HttpRequest, session: Session) -> Any:
    if not request.user.has_perm("courses.add_attendance"):
        return link_where_open(request, session, session.version)
    sheet = reverse("admin:courses_session_attendance", args=[session.pk])
    page = link_where_open(request, session, gettext("Close the session"))
    return format_html('<a class="desk-link" href="{}">{}</a> · {}', sheet, gettext("Mark attendance"), page)


def _due_results(request: HttpRequest, due: Due) -> Iterator[Sequence[Any]]:
    for assessment in due.assessments:
        missing = ngettext("%(count)s person without marks", "%(count)s people without marks", assessment.unmarked)  # type: ignore[attr-defined]
        what = gettext("Assessment “%(title)s” is not marked") % {"title": assessment.title}
        yield what, missing % {"count": assessment.unmarked}, link_where_open(request, assessment, assessment.title)  # type: ignore[attr-defined]
    if due.forms is not None and due.forms < due.people:
        filled = gettext("%(count)s of %(all)s filled in") % {"count": due.forms, "all": due.people}
        yield gettext("Satisfaction forms"), filled, "-"


def _due_of_people(request: HttpRequest, due: Due, training_class: TrainingClass) -> Iterator[Sequence[Any]]:
    if due.can_move_up:
        what = gettext("People wait although there are places")
        yield what, gettext("%(count)s can move up") % {"count": due.can_move_up}, gettext("see the waiting list")
    for question in due.questions:
        person = question.graduation.participation.trainee
        what = gettext("Question about the graduation of %(name)s") % {"name": person.name}
        yield what, question.cause, link_where_open(request, question, gettext("Look at the figures"))
    if request.user.has_perm("courses.add_graduation"):
        ready = sum(
            s.is_enough and p.state == ParticipationState.TRAINING for p, s in _standings(request, training_class)
        )
        url = reverse("admin:courses_trainingclass_graduation", args=[training_class.pk])
        link = format_html('<a class="desk-link" href="{}">{}</a>', url, gettext("Decide graduation"))
        yield gettext("Graduation"), gettext("%(count)s people are ready to graduate") % {"count": ready}, link


# --- The people of a class --------------------------------------------------------------------------------------------


def enrolments_of(training_class: TrainingClass, user: Any) -> EnrolmentQuerySet:
    """The people of a class and its queue whom ``user`` may see, as the page shows them."""
    found = Enrolment.objects.visible_to(user).filter(training_class=training_class)
    return found.select_related("participation__trainee__county", "participation__cohort__programme")


def _standings(request: HttpRequest, training_class: TrainingClass) -> Iterable[tuple[Participation, TrainingStanding]]:
    """Standing of everybody in the class whom the reader sees; read once a page."""
    kept: dict[int, list] = request.__dict__.setdefault("_class_standings", {})
    if training_class.pk not in kept:
        people = [e.participation for e in enrolments_of(training_class, request.user).enrolled()]
        standings = training_standings(people)
        kept[training_class.pk] = [(p, standings[p.pk]) for p in people if p.pk in standings]
    return kept[training_class.pk]


def _opener(request: HttpRequest, people: Sequence[Participation]) -> Callable[[Participation], Any]:
    """A person's name: a link for whoever may open the participation, plain for everybody else. One query."""
    own = Participation.objects.visible_to(request.user).filter(pk__in=[p.pk for p in people])
    may = set(own.values_list("pk", flat=True)) if request.user.has_perm("programmes.view_participation") else set()
    return lambda person: link_to(person, person.trainee) if person.pk in may else str(person.trainee)


def _people(request: HttpRequest, training_class: TrainingClass) -> Section:
    found = enrolments_of(training_class, request.user).exclude(state=EnrolmentState.WAITING)
    enrolments = list(found.order_by("state", "participation__trainee__name", "pk")[:PEOPLE_SHOWN])
    named = _opener(request, [e.participation for e in enrolments])
    standings = {p.pk: s for p, s in _standings(request, training_class)}
    rows = [
        (
            named(e.participation),
            e.participation.trainee.county,
            link_where_open(request, e, _place_and_state(e)),
            *_how_far(standings.get(e.participation_id)),
        )
        for e in enrolments
    ]
    title = gettext("People in this class (%(count)s of %(capacity)s)") % {
        "count": training_class.enrolments.enrolled().count(),
        "capacity": training_class.capacity,
    }
    headings = [_("trainee"), _("county"), _("state"), _("class hours that count"), _("still missing")]
    empty = _("Nobody yet. Choose participations in their list and enrol them from there.")
    return table(title, headings, rows, empty=empty)


def _place_and_state(enrolment: Enrolment) -> str:
    if enrolment.state == EnrolmentState.LEFT:
        return enrolment.get_state_display()
    return f"{enrolment.get_state_display()} · {enrolment.participation.get_state_display()}"


def _how_far(standing: TrainingStanding | None) -> tuple[Any, Any]:
    if standing is None:
        return "-", "-"
    missing = standing.missing()
    return standing.counted_hours, gettext(", ").join(missing) if missing else gettext("nothing")


def _waiting(request: HttpRequest, training_class: TrainingClass) -> Section | None:
    """The queue in its order; numbers count everybody who waits, also those of other counties."""
    order = {pk: n for n, pk in enumerate(training_class.enrolments.waiting().values_list("pk", flat=True), start=1)}
    if not order:
        return None
    enrolments = list(enrolments_of(training_class, request.user).waiting())
    named = _opener(request, [e.participation for e in enrolments])
    rows = [
        (
            order[e.pk],
            named(e.participation),
            e.participation.trainee.county,
            moment(e.since),
            link_where_open(request, e, e.get_state_display()),
        )
        for e in enrolments
    ]
    headings = [pgettext_lazy("queue", "turn"), _("trainee"), _("county"), _("since"), _("state")]
    empty = _("Only people of other counties wait.")
    return table(_("Waiting list (%(count)s)") % {"count": len(order)}, headings, rows, empty=empty)


@admin.register(TrainingClass)
class TrainingClassAdmin(ScopedAdmin):
    is_long = True
    list_display = ["name", "cohort", "kind", "level", "region", "place", "starts_on", "people", "waiting", "capacity"]
    names_nobody = True
    list_filter = ["cohort", "kind", "level", "region"]
    list_select_related = ["cohort__programme", "region"]
    search_fields = ["name"]
    autocomplete_fields = ["region", "institution"]
    inlines = [SessionInline]
    sections = [_due, _clashes, _people, _waiting]
    has_contents = True

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        whose = ("cohort", "name")
        where = ("region", "institution")
        if obj is not None and not self.has_change_permission(request, obj):
            whose, where = ("of_cohort", "name"), ("held_in", "by_institution")
        rest = [("place", "head_teacher"), ("starts_on", "ends_on"), "capacity"]
        return [(None, {"fields": [whose, ("kind", "level"), where, *rest]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["of_cohort", "held_in", "by_institution"]

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.graduation_view)
        return [
            path("<path:object_id>/graduation/", view, name="courses_trainingclass_graduation"),
            *super().get_urls(),
        ]

    def graduation_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        training_class = self.get_object(request, unquote(object_id))
        if training_class is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return class_view(self, request, training_class)

    def list_rows(self, rows: QuerySet) -> QuerySet:
        enrolled, waiting = Q(enrolments__state=EnrolmentState.ENROLLED), Q(enrolments__state=EnrolmentState.WAITING)
        return rows.annotate(
            people_count=Count("enrolments", filter=enrolled), waiting_count=Count("enrolments", filter=waiting)
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A county's class may be held by an institution of the province: it stays choosable where it is chosen."""
        form = super().get_form(request, obj, change, **kwargs)
        institution = form.base_fields.get("institution")
        if institution is not None and obj is not None and obj.institution_id:
            chosen = TrainingInstitution.objects.filter(pk=obj.institution_id)
            institution.queryset = institution.queryset.order_by() | chosen.order_by()
        return form

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The timetable is written by its service; the refusal stands on top of the page."""
        if formset.model is not Session:
            return super().save_formset(request, form, formset, change)
        written = formset.save(commit=False)
        for session in formset.deleted_objects:
            remove_session(session, by=request.user)
        plan_sessions(form.instance, written, by=request.user)
        formset.save_m2m()
        return None

    @display(description=_("people"), ordering="people_count")
    def people(self, row: Any) -> int:
        return row.people_count

    @display(description=pgettext_lazy("enrolment", "waiting"), ordering="waiting_count")
    def waiting(self, row: Any) -> int:
        return row.waiting_count

    # For those who look at a class and may not open what it belongs to.

    @display(description=_("cohort"))
    def of_cohort(self, row: TrainingClass) -> str:
        return str(row.cohort)

    @display(description=_("held in"))
    def held_in(self, row: TrainingClass) -> str:
        return str(row.region)

    @display(description=_("training institution"))
    def by_institution(self, row: TrainingClass) -> str:
        return str(row.institution or "-")


# --- Enrolments -------------------------------------------------------------------------------------------------------


class ChooseClass(NoQuestions):
    """Asks for one of the classes the person may see."""

    training_class = forms.ModelChoiceField(
        label=_("Class"), queryset=TrainingClass.objects.none(), widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        chooser: Any = self.fields["training_class"]
        chooser.queryset = TrainingClass.objects.visible_to(request.user).order_by("-pk")


class ClassAndReason(ChooseClass, Reason):
    """Asks to which class, and why."""


def _leave(row: Enrolment, *, by: Any, reason: str) -> None:
    leave_class(row, by=by, reason=reason)


def _transfer(row: Enrolment, *, by: Any, training_class: TrainingClass, reason: str) -> None:
    transfer(row, to=training_class, by=by, reason=reason)


def _give_place(row: Enrolment, *, by: Any) -> None:
    enrol([row.participation], training_class=row.training_class, by=by)


def _enrolment_moves(request: HttpRequest, enrolment: Enrolment) -> Section:
    moves = EnrolmentMove.objects.filter(enrolment=enrolment).select_related("by")
    rows = [(moment(m.at), str(m), m.by or "-", m.reason or "-") for m in moves]
    return table(_("Changes"), [_("at"), _("change"), _("by"), _("reason")], rows, empty=_("None so far."))


@admin.register(Enrolment)
class EnrolmentAdmin(SearchedByPerson, ReadOnlyAdmin):
    """Who is in which class, waits for it, or left it."""

    is_long = True
    list_display = ["person", "county", "in_class", "state_label", "since"]
    list_filter = ["state", "training_class", "participation__trainee__county"]
    list_select_related = [
        "participation__trainee__county",
        "participation__cohort__programme",
        "training_class__cohort__programme",
    ]
    search_fields = ["participation__trainee__number"]
    search_help_text = SEARCH_HELP
    fields = [("person", "county"), ("in_class", "cohort"), ("state", "since")]
    readonly_fields = ["person", "county", "in_class", "cohort"]
    ordering = ["-pk"]
    sections = [_enrolment_moves]
    moves = [
        Move("give_place", _("Give a place"), _give_place, states=[EnrolmentState.WAITING], is_main=True),
        Move("transfer", _("Move to another class"), _transfer, form=ClassAndReason, states=[EnrolmentState.ENROLLED]),
        Move(
            "leave",
            _("Leave the class"),
            _leave,
            form=Reason,
            states=[EnrolmentState.ENROLLED, EnrolmentState.WAITING],
        ),
    ]

    @display(description=_("trainee"))
    def person(self, row: Enrolment) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Enrolment) -> str:
        return row.participation.trainee.county.name

    @display(description=_("class"), ordering="training_class")
    def in_class(self, row: Enrolment) -> str:
        return row.training_class.name

    @display(description=_("cohort"))
    def cohort(self, row: Enrolment) -> str:
        return str(row.training_class.cohort)

    @display(
        description=_("state"),
        ordering="state",
        label=Colours({EnrolmentState.ENROLLED: "success", EnrolmentState.WAITING: "warning"}),
    )
    def state_label(self, row: Enrolment) -> tuple[str, str]:
        return row.state, row.get_state_display()

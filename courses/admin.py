"""The staff desk's pages of this room, and the sheet on which a session's attendance is marked."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from courses.choices import AttendanceState
from courses.models import (
    Attendance,
    Course,
    Enrolment,
    Graduation,
    GraduationRule,
    Session,
    TrainingClass,
)
from courses.queries import (
    TrainingStanding,
    class_hours,
    meets_graduation_rule_q,
    training_standings,
    with_training,
)
from courses.services import enrol, graduate_all, mark_attendance
from incubator.common.desk import (
    PART_SHOWN,
    Day,
    Move,
    NoQuestions,
    Part,
    QuestionFilter,
    ReadOnlyAdmin,
    ScopedAdmin,
    ScopedInline,
    Section,
    columns,
    extend_desk,
    facts,
    link_to,
    table,
)
from incubator.common.errors import RuleBroken
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation
from trainees.models import Trainee
from trainees.queries import person_q


def _moment(at: Any) -> str:
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


@admin.register(Course)
class CourseAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["code", "title", "kind", "hours"]
    list_filter = ["kind"]
    search_fields = ["code", "title"]


class SessionInline(ScopedInline):
    model = Session
    autocomplete_fields = ["course"]
    fields = ["course", "starts_at", "ends_at"]
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


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Sessions are entered with their class; here attendance is marked."""

    list_display = ["starts_at", "ends_at", "course", "training_class", "marked", "sheet"]
    not_exported = ["sheet"]
    names_nobody = True
    list_filter = ["training_class__cohort", "training_class"]
    list_select_related = ["course", "training_class"]
    search_fields = ["training_class__name"]
    fields = ["training_class", "course", ("starts_at", "ends_at"), "sheet"]
    readonly_fields = ["sheet"]
    ordering = ["-starts_at"]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(marked_count=Count("attendances"))

    @display(description=_("people marked"))
    def marked(self, row: Any) -> int:
        return row.marked_count

    @display(description=_("attendance"))
    def sheet(self, row: Session) -> SafeString:
        url = reverse("admin:courses_session_attendance", args=[row.pk])
        return format_html('<a class="desk-link" href="{}">{}</a>', url, _("Mark attendance"))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.attendance_view)
        return [path("<path:object_id>/attendance/", view, name="courses_session_attendance"), *super().get_urls()]

    def attendance_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The sheet: the whole class on one page, everybody present unless marked otherwise."""
        session = self.get_object(request, unquote(object_id))
        if session is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not request.user.has_perm("courses.add_attendance"):
            raise PermissionDenied
        form = SheetForm(request.POST or None, session=session, people=_class_of(session, request.user))
        if form.is_valid() and self._mark(request, session, form):
            return HttpResponseRedirect(reverse("admin:courses_session_changelist"))
        title = gettext("Attendance of %(session)s") % {"session": session}
        context = {**self.admin_site.each_context(request), "title": title}
        context |= {"session": session, "form": form, "media": self.media}
        return TemplateResponse(request, "admin/desk/attendance.html", context)

    def _mark(self, request: HttpRequest, session: Session, form: "SheetForm") -> bool:
        try:
            count = mark_attendance(session, marks=form.marks(), by=request.user)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return False
        messages.success(request, gettext("Attendance of %(count)s people is saved.") % {"count": count})
        return True


def _class_of(session: Session, user: Any) -> list[Participation]:
    """The people of the session's class whom ``user`` may see, by name."""
    people = Participation.objects.visible_to(user).filter(enrolments__training_class=session.training_class)
    return list(people.select_related("trainee__county").order_by("trainee__name", "pk"))


class SheetForm(forms.Form):
    """Two fields a person: the state, and minutes for those who were not there the whole session."""

    def __init__(self, *args: Any, session: Session, people: Sequence[Participation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        earlier = {a.participation_id: a for a in session.attendances.filter(participation__in=people)}
        for person in people:
            mark = earlier.get(person.pk)
            part = mark is not None and 0 < mark.minutes < session.minutes
            self.fields[f"state_{person.pk}"] = forms.ChoiceField(
                choices=AttendanceState.choices,
                widget=forms.RadioSelect,
                initial=mark.state if mark else AttendanceState.PRESENT,
            )
            self.fields[f"minutes_{person.pk}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=session.minutes,
                initial=mark.minutes if mark is not None and part else None,
            )

    def rows(self) -> list[tuple[Participation, Any, Any]]:
        return [(person, self[f"state_{person.pk}"], self[f"minutes_{person.pk}"]) for person in self.people]

    def marks(self) -> dict[int, tuple[str, int | None]]:
        """As ``mark_attendance`` takes them; no minutes means the whole session."""
        data = self.cleaned_data
        return {p.pk: (data[f"state_{p.pk}"], data[f"minutes_{p.pk}"]) for p in self.people}


@admin.register(Attendance)
class AttendanceAdmin(ReadOnlyAdmin):
    list_display = ["person", "session", "state", "minutes", "marked_by", "marked_at"]
    list_filter = ["state", "session__training_class", "participation__trainee__county"]
    list_select_related = ["participation__trainee", "session__course", "session__training_class", "marked_by"]
    search_fields = ["participation__trainee__number"]
    fields = ["participation", "session", ("state", "minutes"), ("marked_by", "marked_at")]
    ordering = ["-pk"]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        wanted = person_q(search_term, "participation__trainee__")
        return (queryset.filter(wanted) if search_term.strip() else queryset), False

    @display(description=_("trainee"))
    def person(self, row: Attendance) -> str:
        return str(row.participation.trainee)


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


# --- Added to the pages of programmes and trainees --------------------------------------------------------------------


class GraduationRuleInline(ScopedInline):
    model = GraduationRule
    is_part_of_parent = True
    can_delete = False
    max_num = 1


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


def ready_to_graduate(participations: QuerySet) -> QuerySet:
    """In training, with days and hours enough."""
    rows = with_training(participations.filter(state=ParticipationState.TRAINING))
    return rows.filter(meets_graduation_rule_q())


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


def _attendances(request: HttpRequest, participation: Participation) -> Section | None:
    if not request.user.has_perm("courses.view_attendance"):
        return None
    found = participation.attendances.select_related("session__course", "session__training_class")
    rows = [
        (_moment(a.session.starts_at), a.session.course, a.session.training_class, a.get_state_display(), a.minutes)
        for a in found.order_by("session__starts_at")
    ]
    headings = [_("from"), _("course"), _("class"), _("attendance"), _("minutes")]
    return table(_("Attendance"), headings, rows, empty=_("No session has been marked yet."))


def _teaching(request: HttpRequest, trainee: Trainee) -> Section | None:
    """The classes somebody is in, and the hours that count towards graduation."""
    if not request.user.has_perm("courses.view_attendance"):
        return None
    standings = list(_trainee_standings(request, trainee))
    counted = max((standing.counted_hours for _p, standing in standings), default=None)
    note = gettext("%(hours)s h") % {"hours": counted} if counted is not None else ""
    return columns(_("Classes and hours"), [_trainee_classes(request, trainee), _trainee_hours(standings)], note=note)


def _trainee_classes(request: HttpRequest, trainee: Trainee) -> Section:
    was_there = Q(
        participation__attendances__session__training_class=F("training_class"),
        participation__attendances__state=AttendanceState.PRESENT,
    )
    found = Enrolment.objects.visible_to(request.user).filter(participation__trainee=trainee).order_by("-pk")
    found = found.select_related("training_class__region", "training_class__cohort__programme")
    part = Part.of(found.annotate(attended=Count("participation__attendances", filter=was_there)))
    own = TrainingClass.objects.visible_to(request.user).filter(pk__in=[e.training_class_id for e in part.rows])
    may_open = set(own.values_list("pk", flat=True)) if request.user.has_perm("courses.view_trainingclass") else set()
    rows = [
        (
            link_to(e.training_class) if e.training_class_id in may_open else e.training_class.name,
            e.training_class.cohort,
            e.training_class.region,
            e.attended,
        )
        for e in part.rows
    ]
    headings = [_("class"), _("cohort"), _("held in"), _("sessions attended")]
    more = part.link(Attendance, trainee.number)
    return table("", headings, rows, empty=_("Is in no class yet."), more=more)


def _trainee_standings(request: HttpRequest, trainee: Trainee) -> Iterator[tuple[Participation, TrainingStanding]]:
    found = Participation.objects.visible_to(request.user).filter(trainee=trainee).select_related("cohort__programme")
    people = list(found[:PART_SHOWN])
    standings = training_standings(people)
    yield from ((person, standings[person.pk]) for person in people if person.pk in standings)


def _trainee_hours(standings: list[tuple[Participation, TrainingStanding]]) -> Section:
    rows = [
        (p.cohort, s.days, class_hours(s.professional_minutes), class_hours(s.general_minutes), s.counted_hours)
        for p, s in standings
    ]
    headings = [_("cohort"), _("days"), _("professional hours"), _("general hours"), _("class hours that count")]
    return table("", headings, rows, empty=_("No hours yet."))


extend_desk(Cohort, inlines=[GraduationRuleInline])
extend_desk(
    Participation,
    filters=[ReadyFilter],
    sections=[_standing, _attendances],
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
extend_desk(Trainee, sections=[_teaching])

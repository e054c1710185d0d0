"""Sessions, the sheet on which attendance is marked, and the marks."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from courses.choices import AttendanceState
from courses.due import over_q
from courses.models import Attendance, Enrolment, Session
from courses.services import close_session, mark_attendance
from courses.services.attendance import of_the_session
from incubator.common.dates import moment
from incubator.common.desk import Move, QuestionFilter, ReadOnlyAdmin, Section, table
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation
from trainees.desk import SearchedByPerson
from trainees.queries import SEARCH_HELP

COMING, OVER, CLOSED = "coming", "over", "closed"


def _phase(session: Session) -> str:
    if session.is_closed:
        return CLOSED
    return OVER if session.ends_at <= timezone.now() else COMING


class ClosingFilter(QuestionFilter):
    """Sessions over which nobody has closed yet: who was absent is not known before."""

    title = _("closing")
    parameter_name = "closing"
    questions = {
        "due": (_("over and not closed"), lambda rows: rows.filter(over_q(timezone.now()))),
        "done": (pgettext_lazy("session", "closed"), lambda rows: rows.exclude(closed_at=None)),
    }


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Sessions are entered with their class; here attendance is marked."""

    list_display = [
        "starts_at",
        "ends_at",
        "version",
        "training_class",
        "room",
        "lecturer",
        "marked",
        "closing",
        "sheet",
    ]
    not_exported = ["sheet"]
    names_nobody = True
    list_filter = [ClosingFilter, "training_class__cohort", "training_class"]
    list_select_related = ["version", "training_class", "lecturer"]
    search_fields = ["training_class__name"]
    fields = [
        ("training_class", "taught"),
        ("starts_at", "ends_at"),
        ("room", "led_by"),
        ("asks_check_out", "closing"),
        "sheet",
    ]
    readonly_fields = ["taught", "led_by", "closing", "sheet"]
    ordering = ["-starts_at"]
    moves = [
        Move(
            "close",
            _("Close the session"),
            lambda row, by: close_session(row, by=by),
            states=[OVER],
            state_of=_phase,
            permission="courses.add_attendance",
            is_main=True,
        ),
    ]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(marked_count=Count("attendances"))

    @display(description=_("people marked"))
    def marked(self, row: Any) -> int:
        return row.marked_count

    @display(description=pgettext_lazy("session", "closed"), ordering="closed_at")
    def closing(self, row: Session) -> str:
        if row.closed_at is None:
            return str(_("over and not closed")) if _phase(row) == OVER else "-"
        return moment(row.closed_at)

    # Plain, for those who may look at neither page.

    @display(description=_("course"))
    def taught(self, row: Session) -> str:
        return str(row.version)

    @display(description=_("lecturer"))
    def led_by(self, row: Session) -> str:
        return str(row.lecturer or "-")

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
            reason = form.cleaned_data["reason"]
            count = mark_attendance(session, marks=form.marks(), by=request.user, reason=reason)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return False
        messages.success(request, gettext("Attendance of %(count)s people is saved.") % {"count": count})
        return True


def _class_of(session: Session, user: Any) -> list[Participation]:
    """The people of the session's class whom ``user`` may see as such, by name.

    Whoever is posted to the class's institution sees them all, everybody else those of their own regions.
    """
    enrolments = Enrolment.objects.visible_to(user).filter(of_the_session(session))
    people = Participation.objects.filter(pk__in=enrolments.values("participation"))
    return list(people.select_related("trainee__county").order_by("trainee__name", "pk"))


class SheetForm(forms.Form):
    """Two fields a person: the state, and minutes for those who were not there the whole session. And why, once marks
    that are made already are changed.

    On a sheet without a mark everybody is present unless said otherwise. Where there are marks (people checked in
    themselves, or a part of the class was marked) the others stay unmarked until somebody says what they were.
    """

    reason = forms.CharField(
        label=_("Why marks are corrected"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, session: Session, people: Sequence[Participation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.has_marks = session.attendances.exists()
        made = session.attendances.filter(participation__in=people).select_related("marked_by")
        self.earlier = {a.participation_id: a for a in made}
        for person in people:
            mark = self.earlier.get(person.pk)
            part = mark is not None and 0 < mark.minutes < session.minutes
            self.fields[f"state_{person.pk}"] = forms.ChoiceField(
                choices=AttendanceState.choices,
                widget=forms.RadioSelect,
                required=not self.has_marks,
                initial=mark.state if mark else None if self.has_marks else AttendanceState.PRESENT,
            )
            self.fields[f"minutes_{person.pk}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=session.minutes,
                initial=mark.minutes if mark is not None and part else None,
            )

    def rows(self) -> Iterator[tuple[Participation, Any, Any, Attendance | None]]:
        for person in self.people:
            state, minutes = self[f"state_{person.pk}"], self[f"minutes_{person.pk}"]
            yield person, state, minutes, self.earlier.get(person.pk)

    def marks(self) -> dict[int, tuple[str, int | None]]:
        """As ``mark_attendance`` takes them; no minutes means the whole session. Nobody without a state."""
        data = self.cleaned_data
        return {p.pk: (state, data[f"minutes_{p.pk}"]) for p in self.people if (state := data[f"state_{p.pk}"])}


def _corrections(request: HttpRequest, attendance: Attendance) -> Section:
    found = attendance.changes.select_related("by", "marked_by_before").order_by("-pk")
    rows = [
        (
            moment(change.at),
            f"{change.get_state_before_display()}, {change.minutes_before}",
            f"{change.get_method_before_display()} · {change.marked_by_before}",
            moment(change.marked_at_before),
            f"{change.get_state_after_display()}, {change.minutes_after}",
            change.by,
            change.reason,
        )
        for change in found
    ]
    headings = [
        _("corrected at"),
        _("before, minutes"),
        _("how and by whom before"),
        _("marked at before"),
        _("after, minutes"),
        _("by"),
        _("reason"),
    ]
    return table(_("Corrections"), headings, rows, empty=_("The mark was never corrected."))


@admin.register(Attendance)
class AttendanceAdmin(SearchedByPerson, ReadOnlyAdmin):
    list_display = ["person", "session", "state", "minutes", "method", "marked_by", "marked_at", "corrected"]
    list_filter = ["state", "method", "session__training_class", "participation__trainee__county"]
    list_select_related = ["participation__trainee", "session__version", "session__training_class", "marked_by"]
    search_fields = ["participation__trainee__number"]
    search_help_text = SEARCH_HELP
    fields = [("person", "session"), ("state", "minutes"), ("method", "author", "marked_at")]
    readonly_fields = ["person", "author"]
    ordering = ["-pk"]
    sections = [_corrections]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(change_count=Count("changes"))

    @display(description=_("trainee"))
    def person(self, row: Attendance) -> str:
        return str(row.participation.trainee)

    @display(description=_("marked by"))
    def author(self, row: Attendance) -> str:
        return str(row.marked_by)

    @display(description=_("corrections"), ordering="change_count")
    def corrected(self, row: Any) -> int:
        return row.change_count

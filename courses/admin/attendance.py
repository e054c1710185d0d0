"""Sessions, the sheet on which attendance is marked, and the marks."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from courses.choices import AttendanceState
from courses.models import Attendance, Session
from courses.services import mark_attendance
from incubator.common.desk import ReadOnlyAdmin
from incubator.common.errors import RuleBroken
from incubator.programmes.models import Participation
from trainees.queries import person_q


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    """Sessions are entered with their class; here attendance is marked."""

    list_display = ["starts_at", "ends_at", "version", "training_class", "marked", "sheet"]
    not_exported = ["sheet"]
    names_nobody = True
    list_filter = ["training_class__cohort", "training_class"]
    list_select_related = ["version", "training_class"]
    search_fields = ["training_class__name"]
    fields = ["training_class", "version", ("starts_at", "ends_at"), "sheet"]
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
            reason = form.cleaned_data["reason"]
            count = mark_attendance(session, marks=form.marks(), by=request.user, reason=reason)
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
    """Two fields a person: the state, and minutes for those who were not there the whole session. And why, once marks
    that are made already are changed.
    """

    reason = forms.CharField(
        label=_("Why marks are corrected"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, session: Session, people: Sequence[Participation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.has_marks = session.attendances.exists()
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
    list_select_related = ["participation__trainee", "session__version", "session__training_class", "marked_by"]
    search_fields = ["participation__trainee__number"]
    fields = ["participation", "session", ("state", "minutes"), ("marked_by", "marked_at")]
    ordering = ["-pk"]

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        wanted = person_q(search_term, "participation__trainee__")
        return (queryset.filter(wanted) if search_term.strip() else queryset), False

    @display(description=_("trainee"))
    def person(self, row: Attendance) -> str:
        return str(row.participation.trainee)

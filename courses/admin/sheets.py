"""Paper on the desk: sheets to print, scans of signed ones, and the marks taken from them."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget

from courses.choices import AttendanceState
from courses.models import Enrolment, PaperSheet, Session, TrainingClass
from courses.services.attendance import of_the_session
from courses.services.sheets import keep_sheet, mark_from_sheet, signature_sheet, timetable_sheet
from incubator.common.dates import moment
from incubator.common.desk import ReadOnlyAdmin, Section, extend_desk
from incubator.common.errors import RuleBroken
from incubator.common.pdf import PDF

LEAVE = ""  # nothing is said of somebody: the mark, or none, stays


class ScanForm(forms.Form):
    """Asks for the scan of a signed sheet."""

    file = forms.FileField(
        label=_("Scan or photograph of the signed sheet"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".pdf,.jpg,.jpeg,.png"}),
        help_text=_("PDF, JPEG or PNG, at most 15 MB. It is kept encrypted."),
    )


class PaperMarks(forms.Form):
    """What the sheet says of each person, and why, where marks that are made already change."""

    reason = forms.CharField(
        label=_("Why marks are corrected"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, session: Session, people: Sequence[Enrolment], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = people
        self.has_marks = session.attendances.exists()
        marks = {mark.participation_id: mark for mark in session.attendances.all()}
        choices = [(LEAVE, _("not said")), *AttendanceState.choices]
        for enrolment in people:
            mark = marks.get(enrolment.participation_id)
            self.fields[f"state_{enrolment.participation_id}"] = forms.ChoiceField(
                choices=choices,
                required=False,
                widget=forms.RadioSelect,
                initial=mark.state if mark else LEAVE,
            )
            self.fields[f"minutes_{enrolment.participation_id}"] = forms.IntegerField(
                required=False,
                min_value=1,
                max_value=session.minutes,
                initial=mark.minutes if mark and 0 < mark.minutes < session.minutes else None,
            )

    def rows(self) -> list[tuple[Any, Any, Any]]:
        return [
            (e.participation, self[f"state_{e.participation_id}"], self[f"minutes_{e.participation_id}"])
            for e in self.people
        ]

    def marks(self) -> dict[int, tuple[str, int | None]]:
        """As ``mark_from_sheet`` takes them; no minutes means the whole session."""
        data, ids = self.cleaned_data, [e.participation_id for e in self.people]
        return {pk: (data[f"state_{pk}"], data[f"minutes_{pk}"]) for pk in ids if data[f"state_{pk}"] != LEAVE}


@admin.register(PaperSheet)
class PaperSheetAdmin(ReadOnlyAdmin):
    """Signed sheets; they are uploaded on the page of their session."""

    list_display = ["file_name", "session_label", "uploaded_by", "at"]
    names_nobody = True
    list_filter = ["session__training_class"]
    list_select_related = ["session__training_class", "session__version", "uploaded_by"]
    search_fields = ["file_name", "session__training_class__name"]
    fields = ["session", "file_name", ("uploaded_by", "uploaded_at"), "scan"]
    readonly_fields = ["scan"]
    ordering = ["-pk"]

    @display(description=_("session"), ordering="session__starts_at")
    def session_label(self, row: PaperSheet) -> str:
        return f"{row.session} {moment(row.session.starts_at)}"

    @display(description=_("uploaded at"), ordering="uploaded_at")
    def at(self, row: PaperSheet) -> Any:
        return row.uploaded_at

    @display(description=_("scan"))
    def scan(self, row: PaperSheet) -> Any:
        url = reverse("admin:courses_papersheet_scan", args=[row.pk])
        return format_html('<a class="desk-link" href="{}">{}</a>', url, gettext("Download"))

    def get_urls(self) -> list:
        wrap, name = self.admin_site.admin_view, "courses_papersheet"
        return [
            path("class/<int:pk>/timetable.pdf", wrap(self.timetable_view), name=f"{name}_timetable"),
            path("session/<int:pk>/signatures.pdf", wrap(self.signatures_view), name=f"{name}_signatures"),
            path("session/<int:pk>/", wrap(self.session_view), name=f"{name}_session"),
            path("<int:pk>/scan/", wrap(self.scan_view), name=f"{name}_scan"),
            *super().get_urls(),
        ]

    # --- To print ---

    def timetable_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        rows = TrainingClass.objects.visible_to(request.user).select_related("cohort__programme", "institution")
        training_class = rows.filter(pk=pk).first()
        if training_class is None or not request.user.has_perm("courses.view_trainingclass"):
            raise Http404
        return _file(timetable_sheet(training_class), PDF, f"课程表-{training_class.name}.pdf")

    def signatures_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        session = _session(request, pk)
        begins = timezone.localtime(session.starts_at)
        name = f"签到表-{session.training_class.name}-{begins:%Y%m%d-%H%M}.pdf"
        return _file(signature_sheet(session, by=request.user), PDF, name)

    # --- Signed ---

    def scan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The scan as it was uploaded, to be saved and not to be shown within this site."""
        sheet = PaperSheet.objects.visible_to(request.user).filter(pk=pk).first()
        if sheet is None or not self.has_view_permission(request, sheet):
            raise Http404
        answer = _file(sheet.file.read_unsealed(), sheet.content_type, sheet.file_name)
        answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
        return answer

    def session_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A session's signed sheets, and what they say: upload one, then mark from it."""
        session = _session(request, pk)
        if not self.has_view_permission(request):
            raise PermissionDenied
        people = _people(session, request.user)
        scan, marks = ScanForm(), PaperMarks(session=session, people=people)
        if request.method == "POST" and "file" in request.FILES:
            scan = ScanForm(request.POST, request.FILES)
            if self._may_upload(request) and scan.is_valid() and self._keep(request, session, scan):
                return HttpResponseRedirect(request.path)
        elif request.method == "POST":
            marks = PaperMarks(request.POST, session=session, people=people)
            if self._may_mark(request) and marks.is_valid() and self._mark(request, session, marks):
                return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Signed sheets of %(session)s") % {"session": session},
            "session": session,
            "sheets": _sheets(session, request.user),
            "scan": scan,
            "marks": marks,
            "may_upload": request.user.has_perm("courses.add_papersheet"),
            "may_mark": request.user.has_perm("courses.add_attendance"),
            "media": self.media + scan.media,
        }
        return TemplateResponse(request, "admin/courses/sheets.html", context)

    @staticmethod
    def _may_upload(request: HttpRequest) -> bool:
        return _require(request, "courses.add_papersheet")

    @staticmethod
    def _may_mark(request: HttpRequest) -> bool:
        return _require(request, "courses.add_attendance")

    def _keep(self, request: HttpRequest, session: Session, form: ScanForm) -> bool:
        file = form.cleaned_data["file"]
        try:
            keep_sheet(session, file, by=request.user, name=file.name)
        except RuleBroken as refusal:
            form.add_error("file", str(refusal))
            return False
        messages.success(request, gettext("The signed sheet is kept. Now mark below what it says."))
        return True

    def _mark(self, request: HttpRequest, session: Session, form: PaperMarks) -> bool:
        try:
            count = mark_from_sheet(session, marks=form.marks(), by=request.user, reason=form.cleaned_data["reason"])
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return False
        sentence = ngettext("%(count)s mark is written.", "%(count)s marks are written.", count)
        messages.success(request, sentence % {"count": count})
        return True


def _require(request: HttpRequest, permission: str) -> bool:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return True


def _session(request: HttpRequest, pk: int) -> Session:
    """The session, if this person may see it; raises ``Http404``."""
    rows = Session.objects.visible_to(request.user).select_related("training_class", "version", "lecturer")
    session = rows.filter(pk=pk).first()
    if session is None or not request.user.has_perm("courses.view_session"):
        raise Http404
    return session


def _sheets(session: Session, user: Any) -> list[PaperSheet]:
    return list(PaperSheet.objects.visible_to(user).filter(session=session).select_related("uploaded_by"))


def _people(session: Session, user: Any) -> list[Enrolment]:
    """Those of the session whom ``user`` may see, in the order of the printed sheet."""
    found = Enrolment.objects.visible_to(user).filter(of_the_session(session))
    order = ("participation__trainee__initials", "participation__trainee__name", "pk")
    return list(found.select_related("participation__trainee__county").order_by(*order))


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    response["X-Content-Type-Options"] = "nosniff"
    return response


# --- On the pages of classes and sessions -----------------------------------------------------------------------------


def _links(title: Any, links: Sequence[tuple[str, Any]]) -> Section:
    return Section(title, format_html_join(" · ", '<a class="desk-link" href="{}">{}</a>', links))


def _of_class(request: HttpRequest, training_class: TrainingClass) -> Section | None:
    if not request.user.has_perm("courses.view_trainingclass"):
        return None
    url = reverse("admin:courses_papersheet_timetable", args=[training_class.pk])
    return _links(_("To print"), [(url, _("Timetable (PDF)"))])


def _of_session(request: HttpRequest, session: Session) -> Section | None:
    links: list[tuple[str, Any]] = [
        (reverse("admin:courses_papersheet_signatures", args=[session.pk]), _("Signature sheet (PDF)"))
    ]
    if request.user.has_perm("courses.view_papersheet"):
        kept = session.paper_sheets.count()
        label = gettext("Signed sheets (%(count)s): upload, mark from them") % {"count": kept}
        links.append((reverse("admin:courses_papersheet_session", args=[session.pk]), label))
    return _links(_("On paper"), links)


extend_desk(TrainingClass, sections=[_of_class])
extend_desk(Session, sections=[_of_session])

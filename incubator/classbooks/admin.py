"""The staff desk's pages of this room: attendance workbooks of classes, and files of online learning."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from courses.choices import AttendanceState
from courses.models import Session, TrainingClass
from incubator.classbooks.attendance import header_of
from incubator.classbooks.choices import RowStatus
from incubator.classbooks.models import (
    AttendanceImport,
    AttendanceImportRow,
    ClassbookImport,
    LearningImport,
    LearningImportRow,
)
from incubator.classbooks.people import shown_name
from incubator.classbooks.services import (
    apply_attendance,
    apply_learning,
    discard,
    explain_corrections,
    recheck_attendance,
    recheck_learning,
    upload_attendance,
    upload_learning,
)
from incubator.classbooks.template import (
    blank_attendance,
    blank_learning,
    class_workbook,
    class_workbook_name,
)
from incubator.common.dates import moment
from incubator.common.desk import Move, NoQuestions, Reason, Section, adopt, extend_desk, link_to, number
from incubator.imports.admin import (
    XLSX,
    Count,
    Line,
    StagedImportAdmin,
    counts,
    findings,
    import_moves,
    page_of_rows,
    preview,
    progress,
)
from incubator.imports.choices import TO_CONFIRM, ImportState
from incubator.programmes.models import Participation

IN_PART = "in_part"  # rows are wrong, and the others can be written
LAST_SHOWN = 5  # imports on the page of their class


def _counts(request: HttpRequest, staged: ClassbookImport) -> Section | None:
    numbers = [Count(_("new"), staged.new_count), Count(_("wrong"), staged.wrong_count, is_bad=True)]
    where_any = [
        Count(_("changes what is known"), staged.corrected_count),
        Count(_("known already"), staged.same_count),
        Count(_("skipped (totals, notes)"), staged.skipped_count),
    ]
    return counts(staged, [*numbers, *(count for count in where_any if count.number)], _sentences(staged))


def _sentences(staged: ClassbookImport) -> list[Any]:
    """What happens on confirming, or what happened."""
    if staged.state == ImportState.APPLIED:
        return _what_was_done(staged)
    if staged.state not in TO_CONFIRM:
        return []
    if staged.wrong_count and staged.to_write_count:
        return [
            _("Correct the rows below in the workbook and upload it again, or write the good rows only."),
            _("Until you confirm nothing is written."),
        ]
    if staged.wrong_count:
        return [_("Correct the rows below in the workbook and upload it again. Nothing has been written.")]
    if not staged.to_write_count:
        return [_("Nothing in this workbook is new. There is nothing to confirm; put the import aside.")]
    return [_("Everything is in order. Look at the rows below and confirm; until then nothing is written.")]


def _what_was_done(staged: ClassbookImport) -> list[str]:
    written = staged.written_count or 0
    sentence = ngettext("%(count)s entry was written.", "%(count)s entries were written.", written)
    said = [sentence % {"count": f"{written:,}"}]
    if staged.is_partial:
        left = ngettext("%(count)s wrong row was left out.", "%(count)s wrong rows were left out.", staged.wrong_count)
        said.append(left % {"count": f"{staged.wrong_count:,}"})
    return said


class Sure(NoQuestions):
    """Asks for a tick, so that one click too many does nothing."""

    is_sure = forms.BooleanField(label=_("I have looked at it"))


def _in_part(staged: ClassbookImport) -> str:
    return "" if staged.is_under_way else IN_PART if staged.can_be_applied_in_part else staged.state


def _people(request: HttpRequest, rows: Any) -> dict[int, Participation]:
    """Of the rows' people those whom this person may see."""
    found = Participation.objects.visible_to(request.user).select_related("trainee__county", "cohort__programme")
    return found.in_bulk({row.participation_id for row in rows if row.participation_id})


def _person(row: Any, people: dict[int, Participation]) -> tuple[Any, Any]:
    """Who a row is about, and the county."""
    participation = people.get(row.participation_id)
    if participation is None:
        return shown_name(row.plain["name"]), "-"
    return link_to(participation.trainee), participation.trainee.county.name


# --- Attendance -------------------------------------------------------------------------------------------------------


def _marks(request: HttpRequest, attendance: AttendanceImport) -> Section | None:
    page = page_of_rows(request, AttendanceImportRow.objects.filter(attendance=attendance))
    people = _people(request, page)
    sessions = Session.objects.in_bulk({mark[0] for row in page for mark in row.plain["marks"]})
    lines = []
    for row in page:
        marks = [_mark(sessions.get(pk), state, minutes) for pk, state, minutes in row.plain["marks"]]
        cells = [row.number, *_person(row, people), row.get_status_display(), gettext(", ").join(marks) or "-"]
        lines.append(Line(cells, row.status == RowStatus.WRONG))
    headings = [_("row"), pgettext_lazy("person", "name"), _("county"), _("status"), _("attendance")]
    return preview(_("Attendance in the workbook"), headings, lines, page)


def _mark(session: Session | None, state: str, minutes: int) -> str:
    word = AttendanceState(state).label
    said = f"{word} {minutes}" if state == AttendanceState.PRESENT else str(word)
    return f"{header_of(session) if session else '-'} {said}"


def _apply_attendance(attendance: AttendanceImport, by: Any) -> None:
    apply_attendance(attendance, by=by, at=timezone.now())


def _apply_good_attendance(attendance: AttendanceImport, by: Any, is_sure: bool) -> None:
    apply_attendance(attendance, by=by, at=timezone.now(), is_partial=True)


def _to_explain(attendance: AttendanceImport) -> str:
    return "" if attendance.is_under_way else attendance.state


@admin.register(AttendanceImport)
class AttendanceImportAdmin(StagedImportAdmin):
    list_display = ["file_name", "training_class", "state_label", "to_write", "wrong_count", "at"]
    list_filter = ["state", "training_class"]
    list_select_related = ["training_class__region", "uploaded_by", "applied_by", "job"]
    search_fields = ["file_name", "training_class__name"]
    autocomplete_fields = ["training_class"]
    asked = ["training_class", "reason", "file"]
    shown = [("training_class", "reason")]
    hint = _(
        "Add the attendance workbook of a class. The workbook of a class, with its people and sessions, is on the page "
        "of the class; it is checked row by row and nothing is written before you confirm."
    )
    blank = staticmethod(blank_attendance)
    blank_name = "考勤明细表.xlsx"
    sections = [progress, _counts, findings, _marks]
    moves = [
        *import_moves(_("Write this attendance"), apply=_apply_attendance, recheck=recheck_attendance, discard=discard),
        Move("apply_good", _("Write the good rows"), _apply_good_attendance, Sure, states=[IN_PART], state_of=_in_part),
        Move(
            "explain",
            _("Say why marks are corrected"),
            explain_corrections,
            Reason,
            states=list(TO_CONFIRM),
            state_of=_to_explain,
        ),
    ]

    def save_model(self, request: HttpRequest, obj: AttendanceImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        adopt(
            obj,
            upload_attendance(
                file, training_class=obj.training_class, by=request.user, reason=obj.reason, name=file.name
            ),
        )

    @admin.display(description=_("to write"))
    def to_write(self, row: AttendanceImport) -> int:
        return row.to_write_count

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.class_view)
        return [path("class/<int:pk>/attendance.xlsx", view, name=self._url_name("workbook")), *super().get_urls()]

    def class_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The workbook of one class, with its people as far as this person may see them."""
        training_class = TrainingClass.objects.visible_to(request.user).filter(pk=pk).first()
        if training_class is None or not self.has_view_permission(request):
            raise Http404
        response = HttpResponse(class_workbook(training_class, by=request.user), content_type=XLSX)
        name = quote(class_workbook_name(training_class))
        response["Content-Disposition"] = f"attachment; filename*=UTF-8''{name}"
        return response


def _of_class(request: HttpRequest, training_class: TrainingClass) -> Section | None:
    """The workbook to fill in, where to upload it, and the last ones."""
    if not request.user.has_perm("classbooks.view_attendanceimport"):
        return None
    links = [
        (reverse("admin:classbooks_attendanceimport_workbook", args=[training_class.pk]), _("Download the workbook"))
    ]
    if request.user.has_perm("classbooks.add_attendanceimport"):
        add = reverse("admin:classbooks_attendanceimport_add")
        links.append((f"{add}?training_class={training_class.pk}", _("Upload a workbook")))
    html = format_html_join(" · ", '<a class="desk-link" href="{}">{}</a>', links)
    last = AttendanceImport.objects.visible_to(request.user).filter(training_class=training_class)[:LAST_SHOWN]
    items = format_html_join(
        "", "<li>{} ({}, {})</li>", ((link_to(a), a.get_state_display(), moment(a.uploaded_at)) for a in last)
    )
    return Section(_("Attendance workbook"), format_html("<p>{}</p><ul>{}</ul>", html, items) if items else html)


extend_desk(TrainingClass, sections=[_of_class])


# --- Online learning --------------------------------------------------------------------------------------------------


def _records(request: HttpRequest, learning: LearningImport) -> Section | None:
    page = page_of_rows(request, LearningImportRow.objects.filter(learning=learning))
    people = _people(request, page)
    lines = []
    for row in page:
        plain = row.plain
        finished = moment(datetime.fromisoformat(plain["finished_at"])) if plain["finished_at"] else "-"
        cells = [row.number, *_person(row, people), row.get_status_display(), plain["course"] or "-"]
        lines.append(Line([*cells, number(plain["minutes"]), finished], row.status == RowStatus.WRONG))
    headings = [
        _("row"),
        pgettext_lazy("person", "name"),
        _("county"),
        _("status"),
        _("course"),
        _("minutes"),
        _("finished at"),
    ]
    return preview(_("Online learning in the workbook"), headings, lines, page)


def _apply_learning(learning: LearningImport, by: Any) -> None:
    apply_learning(learning, by=by, at=timezone.now())


def _apply_good_learning(learning: LearningImport, by: Any, is_sure: bool) -> None:
    apply_learning(learning, by=by, at=timezone.now(), is_partial=True)


@admin.register(LearningImport)
class LearningImportAdmin(StagedImportAdmin):
    list_display = ["file_name", "cohort", "region", "state_label", "to_write", "wrong_count", "at"]
    list_filter = ["state", "cohort", "region"]
    list_select_related = ["cohort__programme", "region", "uploaded_by", "applied_by", "job"]
    search_fields = ["file_name"]
    autocomplete_fields = ["region"]
    asked = ["cohort", "region", "file"]
    shown = [("cohort", "region")]
    hint = _(
        "Add a file that a learning platform exported, as XLSX or CSV: who finished which course, in how many minutes, "
        "when. It is checked row by row and nothing is written before you confirm. A course counts once for a person, "
        "however often it is imported."
    )
    blank = staticmethod(blank_learning)
    blank_name = "线上学习记录表.xlsx"
    sections = [progress, _counts, findings, _records]
    moves = [
        *import_moves(_("Write these records"), apply=_apply_learning, recheck=recheck_learning, discard=discard),
        Move("apply_good", _("Write the good rows"), _apply_good_learning, Sure, states=[IN_PART], state_of=_in_part),
    ]

    def save_model(self, request: HttpRequest, obj: LearningImport, form: Any, change: bool) -> None:
        file = form.cleaned_data["file"]
        adopt(obj, upload_learning(file, cohort=obj.cohort, region=obj.region, by=request.user, name=file.name))

    @admin.display(description=_("to write"))
    def to_write(self, row: LearningImport) -> int:
        return row.to_write_count

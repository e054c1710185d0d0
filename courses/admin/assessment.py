"""Assessments of classes, the sheet on which a class is marked, and appeals."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from courses.models import Assessment, Attempt, Enrolment, TrainingClass
from courses.models.assessment import AttemptQuerySet
from courses.services import add_assessment, change_assessment, mark_again, record_marks
from courses.services.assessment import RESTED_ON, SAID
from incubator.common.dates import moment
from incubator.common.desk import (
    Colours,
    Move,
    NoQuestions,
    QuestionFilter,
    ReadOnlyAdmin,
    ScopedAdmin,
    Section,
    adopt,
    extend_desk,
    link_to,
    table,
)
from incubator.common.errors import RuleBroken
from incubator.common.exports import Exported
from incubator.programmes.models import Participation
from trainees.desk import SearchedByPerson
from trainees.queries import SEARCH_HELP

NUMBER, MARKER = pgettext_lazy("of an attempt", "number"), pgettext_lazy("assessment", "marked by")
PASSED, FAILED, APPEALED, OPEN = "passed", "failed", "appealed", "open"
OUTCOMES = {
    PASSED: _("passed"),
    FAILED: _("not passed"),
    APPEALED: _("waits for a second marker"),
    OPEN: _("not marked yet"),
}
OUTCOME_COLOURS = Colours({PASSED: "success", FAILED: "danger", APPEALED: "warning"})


def outcome_of(attempt: Attempt) -> str:
    if attempt.waits_for_second_marker:
        return APPEALED
    return OPEN if attempt.is_passed is None else PASSED if attempt.is_passed else FAILED


def sheet_url(assessment: Assessment, number: int = 1) -> str:
    url = reverse("admin:courses_assessment_marks", args=[assessment.pk])
    return f"{url}?number={number}" if number > 1 else url


def _sheet_link(assessment: Assessment) -> SafeString:
    return format_html('<a class="desk-link" href="{}">{}</a>', sheet_url(assessment), _("Enter marks"))


def _results(request: HttpRequest, assessment: Assessment) -> Section | None:
    if not request.user.has_perm("courses.view_attempt"):
        return None
    found = Attempt.objects.visible_to(request.user).filter(assessment=assessment)
    attempts = found.select_related("participation__trainee", "assessment", "marked_by", "second_by")
    rows = [
        (
            link_to(a, a.participation.trainee),
            a.number,
            "-" if a.marks is None else a.marks,
            "-" if a.second_marks is None else a.second_marks,
            OUTCOMES[outcome_of(a)],
            a.marked_by or "-",
        )
        for a in attempts.order_by("participation__trainee__name", "participation", "number")
    ]
    headings = [_("trainee"), NUMBER, _("marks"), _("marks on appeal"), _("result"), MARKER]
    return table(_("Results"), headings, rows, empty=_("Nobody has been marked and nothing has been handed in yet."))


@admin.register(Assessment)
class AssessmentAdmin(ScopedAdmin):
    """What a class is examined in; marks are entered for the whole class on one page."""

    list_display = ["title", "training_class", "kind", "pass_line", "is_required", "due_at", "marked", "sheet"]
    not_exported = ["sheet"]
    names_nobody = True
    exported = [
        Exported("pass_line", _("pass line"), "pass_marks"),
        Exported("full_marks", _("full marks"), "full_marks", after="pass_line"),
    ]
    list_filter = ["kind", "is_required", "training_class__cohort", "training_class"]
    list_select_related = ["training_class"]
    search_fields = ["title", "training_class__name"]
    autocomplete_fields = ["training_class"]
    ordering = ["-pk"]
    fields = ["training_class", ("title", "kind"), ("full_marks", "pass_marks", "most_attempts"), "is_required"]
    sections = [_results]

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(
            marked_count=Count("attempts__participation", filter=Q(attempts__marks__isnull=False), distinct=True)
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.fields, "due_at", "sheet"] if obj else [*self.fields, "due_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return []
        is_marked = obj.attempts.exclude(marks=None).exists()
        return ["training_class", "sheet", *(RESTED_ON if is_marked else ())]

    @display(description=_("pass line"), ordering="pass_marks")
    def pass_line(self, row: Assessment) -> str:
        return f"{row.pass_marks} / {row.full_marks}"

    @display(description=_("people with marks"), ordering="marked_count")
    def marked(self, row: Any) -> int:
        return row.marked_count

    @display(description=_("marks"))
    def sheet(self, row: Assessment) -> SafeString:
        return _sheet_link(row)

    def save_model(self, request: HttpRequest, obj: Assessment, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in SAID if name in form.cleaned_data}
        if change:
            change_assessment(obj, by=request.user, **said)
        else:
            adopt(obj, add_assessment(obj.training_class, by=request.user, **said))

    # The sheet

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.marks_view)
        return [path("<path:object_id>/marks/", view, name="courses_assessment_marks"), *super().get_urls()]

    def marks_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The sheet: the whole class on one page; ``number`` in the address says which attempt is marked."""
        assessment = self.get_object(request, unquote(object_id))
        if assessment is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not request.user.has_perm("courses.add_attempt"):
            raise PermissionDenied
        number = _number(request, assessment)
        people = _class_of(assessment, request.user)
        form = MarksForm(request.POST or None, assessment=assessment, number=number, people=people, by=request.user)
        if form.is_valid() and self._record(request, assessment, number, form):
            return HttpResponseRedirect(reverse("admin:courses_assessment_change", args=[assessment.pk]))
        title = gettext("Marks of %(assessment)s") % {"assessment": assessment}
        numbers = [(n, sheet_url(assessment, n), n == number) for n in range(1, assessment.most_attempts + 1)]
        context = {**self.admin_site.each_context(request), "title": title, "form": form, "media": self.media}
        context |= {"assessment": assessment, "number": number, "numbers": numbers, "in_class": bool(people)}
        return TemplateResponse(request, "admin/desk/marks.html", context)

    def _record(self, request: HttpRequest, assessment: Assessment, number: int, form: "MarksForm") -> bool:
        try:
            reason = form.cleaned_data["reason"]
            count = record_marks(assessment, marks=form.marks(), by=request.user, number=number, reason=reason)
        except RuleBroken as refusal:
            messages.error(request, str(refusal))
            return False
        sentence = ngettext("Marks of %(count)s person are saved.", "Marks of %(count)s people are saved.", count)
        messages.success(request, sentence % {"count": count})
        return True


def _number(request: HttpRequest, assessment: Assessment) -> int:
    given = request.GET.get("number", "")
    return min(int(given), assessment.most_attempts) if given.isdecimal() and int(given) else 1


def _class_of(assessment: Assessment, user: Any) -> list[Participation]:
    """The people of the class whom ``user`` may see, by name."""
    rows = Enrolment.objects.visible_to(user).enrolled().filter(training_class=assessment.training_class_id)
    rows = rows.select_related("participation__trainee__county")
    return [row.participation for row in rows.order_by("participation__trainee__name", "participation")]


class MarksForm(forms.Form):
    """A field of marks a person; empty ones are left. And why, where marks are recorded already and may change.

    Of a resit the people are those who may have it. Where marks may not be changed any more, ``why`` says so.
    """

    reason = forms.CharField(
        label=_("Why marks are corrected"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def __init__(
        self, *args: Any, assessment: Assessment, number: int, people: Sequence[Participation], by: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        attempts: dict[int, dict[int, Attempt]] = {}
        for attempt in assessment.attempts.filter(participation__in=people).select_related("marked_by"):
            attempt.assessment = assessment
            attempts.setdefault(attempt.participation_id, {})[attempt.number] = attempt
        self.people = [p for p in people if _may_attempt(attempts.get(p.pk, {}), number)]
        self.attempts = {p.pk: attempts.get(p.pk, {}).get(number) for p in self.people}
        self.has_marks = any(a is not None and a.marks is not None for a in self.attempts.values())
        for person in self.people:
            now = self.attempts[person.pk]
            self.fields[_name(person)] = forms.DecimalField(
                required=now is not None and now.marks is not None,
                min_value=0,
                max_value=assessment.full_marks,
                max_digits=5,
                decimal_places=1,
                initial=now.marks if now else None,
                disabled=bool(_why_fixed(now, by)),
                error_messages={"required": gettext("Marks that are recorded are not taken away, only corrected.")},
            )
        self.by = by

    def rows(self) -> list[tuple[Participation, Any, Attempt | None, str]]:
        rows = ((person, self.attempts[person.pk]) for person in self.people)
        return [(person, self[_name(person)], now, _why_fixed(now, self.by)) for person, now in rows]

    def marks(self) -> dict[int, Decimal]:
        """As ``record_marks`` takes them."""
        given = {p.pk: self.cleaned_data[_name(p)] for p in self.people}
        return {pk: marks for pk, marks in given.items() if marks is not None}


def _name(person: Participation) -> str:
    return f"marks_{person.pk}"


def _may_attempt(attempts: dict[int, Attempt], number: int) -> bool:
    """Whether somebody belongs on the sheet of an attempt: it is the first, made already, or follows a failed one."""
    if number == 1 or number in attempts:
        return True
    before = attempts.get(number - 1)
    return before is not None and before.is_passed is False


def _why_fixed(attempt: Attempt | None, by: Any) -> str:
    """Why these marks cannot be changed here; empty where they can."""
    if attempt is None or attempt.marks is None:
        return ""
    if attempt.appealed_at:
        return gettext("appealed against")
    if attempt.marked_by_id != by.pk:
        return gettext("marked by %(name)s") % {"name": attempt.marked_by}
    return ""


# --- Attempts and appeals ---------------------------------------------------------------------------------------------


class MarksFilter(QuestionFilter):
    title = _("marks")
    parameter_name = "marks"
    questions: dict[str, tuple[Any, Any]] = {
        APPEALED: (_("waiting for a second marker"), AttemptQuerySet.waiting_for_second_marker),
        OPEN: (_("not marked yet"), lambda rows: rows.filter(marks=None)),
        PASSED: (_("passed"), AttemptQuerySet.passed),
        FAILED: (_("not passed"), AttemptQuerySet.failed),
    }


class SecondMarks(NoQuestions):
    """Asks for the second marker's marks."""

    marks = forms.DecimalField(
        label=_("Marks"), min_value=0, max_digits=5, decimal_places=1, widget=UnfoldAdminDecimalFieldWidget
    )


def _mark_again(attempt: Attempt, *, by: Any, marks: Decimal) -> None:
    mark_again(attempt, marks=marks, by=by)


def _corrections(request: HttpRequest, attempt: Attempt) -> Section | None:
    rows = [(moment(c.at), c.marks_before, c.marks_after, c.by, c.reason) for c in attempt.changes.select_related("by")]
    headings = [_("at"), _("before"), _("after"), _("by"), _("reason")]
    return table(_("Corrections"), headings, rows) if rows else None


@admin.register(Attempt)
class AttemptAdmin(SearchedByPerson, ReadOnlyAdmin):
    """Every attempt at an assessment. Marks are entered on the sheet of the class; here appeals are marked again."""

    list_display = ["person", "county", "assessment_title", "number", "marks", "second_marks", "outcome", "marked_by"]
    exported = [
        Exported("training_class", _("class"), "assessment.training_class.name", after="county"),
        Exported("final_marks", _("marks that count"), "final_marks", after="second_marks"),
        Exported("marked_at", pgettext_lazy("assessment", "marked at"), "marked_at", after="marked_by"),
        Exported("appealed_at", _("appealed at"), "appealed_at", after="marked_at"),
    ]
    list_filter = [
        MarksFilter,
        "assessment__kind",
        "assessment__training_class",
        "participation__trainee__county",
    ]
    list_select_related = ["participation__trainee__county", "assessment__training_class", "marked_by"]
    search_fields = ["participation__trainee__number"]
    search_help_text = SEARCH_HELP
    ordering = ["-pk"]
    fields = [
        ("participation", "assessment", "number"),
        ("work", "handed_in_at"),
        ("marks", "marked_by", "marked_at"),
        ("appealed_at", "appeal_reason"),
        ("second_marks", "second_by", "second_at"),
    ]
    readonly_fields = ["work"]
    sections = [_corrections]
    moves = [
        Move(
            "mark_again",
            _("Mark again"),
            _mark_again,
            form=SecondMarks,
            states=[APPEALED],
            state_of=outcome_of,
            is_main=True,
        )
    ]

    @display(description=_("trainee"), ordering="participation__trainee__name")
    def person(self, row: Attempt) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Attempt) -> str:
        return row.participation.trainee.county.name

    @display(description=_("assessment"), ordering="assessment")
    def assessment_title(self, row: Attempt) -> str:
        return row.assessment.title

    @display(description=_("result"), label=OUTCOME_COLOURS)
    def outcome(self, row: Attempt) -> tuple[str, Any]:
        found = outcome_of(row)
        return found, OUTCOMES[found]

    @display(description=_("link to the work"))
    def work(self, row: Attempt) -> Any:
        if not row.link:
            return "-"
        return format_html('<a class="desk-link" href="{0}" rel="noopener noreferrer nofollow">{0}</a>', row.link)


# --- On the page of a class -------------------------------------------------------------------------------------------


def _assessments(request: HttpRequest, training_class: TrainingClass) -> Section | None:
    if not request.user.has_perm("courses.view_assessment"):
        return None
    rows = (
        Assessment.objects.visible_to(request.user)
        .filter(training_class=training_class)
        .annotate(
            marked_count=Count("attempts__participation", filter=Q(attempts__marks__isnull=False), distinct=True),
            appeals=Count("attempts", filter=Q(attempts__appealed_at__isnull=False, attempts__second_marks=None)),
        )
    )
    may_mark = request.user.has_perm("courses.add_attempt")
    cells = [
        (
            link_to(a, a.title),
            a.get_kind_display(),
            f"{a.pass_marks} / {a.full_marks}",
            moment(a.due_at),
            a.marked_count,
            a.appeals,
            _sheet_link(a) if may_mark else "",
        )
        for a in rows.order_by("pk")
    ]
    headings = [_("title"), _("kind"), _("pass line"), _("due at"), _("people with marks"), _("open appeals"), ""]
    more = None
    if request.user.has_perm("courses.add_assessment"):
        query = urlencode({"training_class": training_class.pk})
        more = (f"{reverse('admin:courses_assessment_add')}?{query}", _("Add an assessment"))
    section = table(_("Assessments"), headings, cells, empty=_("No assessment is planned yet."), more=more)
    if more and not cells:  # a table without rows shows no link
        html = format_html('{}<p class="desk-more"><a class="desk-link" href="{}">{}</a></p>', section.html, *more)
        return Section(section.title, html)
    return section


extend_desk(TrainingClass, sections=[_assessments])

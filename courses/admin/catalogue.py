"""The catalogue: courses, which are edited by giving them a next version, and lecturers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from courses.models import Course, CourseVersion, Lecturer
from courses.services.catalogue import SAID, add_course, revise_course
from incubator.common.desk import ReadOnlyAdmin, ScopedAdmin, Section, adopt, table


@admin.register(Lecturer)
class LecturerAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "organisation", "subject"]
    search_fields = ["name", "organisation"]


def _versions(request: HttpRequest, course: Course) -> Section:
    rows = [
        (v.number, v.title, v.get_kind_display(), v.hours, v.note or "-", v.made_by or "-", v.made_at)
        for v in course.versions.select_related("made_by")
    ]
    headings = [_("version"), _("title"), _("kind"), _("class hours"), _("what changed"), _("by"), _("at")]
    return table(_("Versions"), headings, rows)


def _said_form() -> Any:
    """The fields of a version as a form of its own, so that a course is edited on one page."""
    return forms.modelform_factory(CourseVersion, fields=[*SAID, "note"])


@admin.register(Course)
class CourseAdmin(ScopedAdmin):
    """What is saved becomes a next version: sessions planned before keep the hours they were planned with."""

    is_reference = True
    names_nobody = True
    list_display = ["code", "title", "kind", "hours", "delivery", "is_offered"]
    list_filter = ["current__kind", "current__delivery", "is_offered"]
    list_select_related = ["current"]
    search_fields = ["code", "current__title"]
    sections = [_versions]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["code", "is_offered", *SAID, "note"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if not self.has_change_permission(request, obj):
            return []
        return ["code"] if obj else []

    @display(description=_("title"), ordering="current__title")
    def title(self, row: Course) -> str:
        return row.current.title if row.current else "-"

    @display(description=_("kind"), ordering="current__kind")
    def kind(self, row: Course) -> str:
        return row.current.get_kind_display() if row.current else "-"

    @display(description=_("class hours"), ordering="current__hours")
    def hours(self, row: Course) -> Any:
        return row.current.hours if row.current else "-"

    @display(description=_("delivery"), ordering="current__delivery")
    def delivery(self, row: Course) -> str:
        return row.current.get_delivery_display() if row.current else "-"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kwargs["fields"] = ["is_offered"] if obj else ["code", "is_offered"]
        plain = super().get_form(request, obj, change, **kwargs)
        said = forms.modelform_factory(
            CourseVersion,
            fields=[*SAID, "note"],
            formfield_callback=lambda f, **k: self.formfield_for_dbfield(f, request, **k),
        )
        return type("CourseForm", (plain,), {**said.base_fields, "said": [*SAID, "note"]})

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        return super().get_changeform_initial_data(request)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in SAID}
        if not change:
            adopt(obj, add_course(form.cleaned_data["code"], by=request.user, **said))
        elif any(getattr(obj.current, name) != said[name] for name in SAID):
            revise_course(obj, by=request.user, note=form.cleaned_data["note"], **said)
        if "is_offered" in form.changed_data or not change:
            Course.objects.filter(pk=obj.pk).update(is_offered=form.cleaned_data["is_offered"])


@admin.register(CourseVersion)
class CourseVersionAdmin(ReadOnlyAdmin):
    """Looked at, and chosen from when a session is planned: the current versions of courses that are offered."""

    is_reference = True
    names_nobody = True
    list_display = ["course_code", "number", "title", "kind", "hours", "made_at"]
    list_filter = ["kind"]
    list_select_related = ["course"]
    search_fields = ["course__code", "title"]

    @display(description=_("code"), ordering="course__code")
    def course_code(self, row: CourseVersion) -> str:
        return row.course.code

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if request.resolver_match is not None and request.resolver_match.url_name == "autocomplete":
            found = found.filter(pk=F("course__current"), course__is_offered=True)
        return found, may_repeat

"""The catalogue: courses, which are edited by giving them a next version, and lecturers."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from courses.models import Course, CourseVersion, Lecturer
from courses.services import add_course, offer_course, revise_course
from courses.services.catalogue import SAID
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


class SaysAVersion:
    """Of a course's form: what its next version would say, checked as the version's own row is."""

    def said(self) -> dict[str, Any]:
        """Browsers send lines ended by two characters; what was not touched must compare as the same."""
        data = self.cleaned_data  # type: ignore[attr-defined]
        return {name: _lines(data[name]) for name in SAID}

    def clean(self) -> Any:
        data = super().clean()  # type: ignore[misc]
        if not self.errors:  # type: ignore[attr-defined]
            try:
                CourseVersion(**self.said()).full_clean(exclude=["course", "number", "made_by"])
            except forms.ValidationError as error:
                self.add_error(None, error)  # type: ignore[attr-defined]
        return data


def _lines(value: Any) -> Any:
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


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

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        said: list[Any] = ["title", ("kind", "hours"), ("delivery", "lecturer"), "syllabus", "materials"]
        if obj is None:
            return [(None, {"fields": [("code", "is_offered"), *said]})]
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": [("code", "is_offered")]})]  # what it says stands in the versions below
        return [(None, {"fields": [("code", "is_offered"), *said, "note"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
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
        """The course's own fields and those of a version, which is filled in as the present one says."""
        kwargs["fields"] = ["is_offered"] if obj else ["code", "is_offered"]
        plain = super().get_form(request, obj, change, **kwargs)
        names = [*SAID, "note"] if obj else list(SAID)
        said = forms.modelform_factory(
            CourseVersion,
            fields=names,
            formfield_callback=lambda field, **more: self.formfield_for_dbfield(field, request, **more),
        )
        fields = {name: said.base_fields[name] for name in names}
        if obj is not None and obj.current is not None:
            for name in SAID:
                fields[name].initial = getattr(obj.current, name)
        return type("CourseForm", (SaysAVersion, plain), fields)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.said()
        if not change:
            adopt(obj, add_course(form.cleaned_data["code"], by=request.user, **said))
        elif said != {name: getattr(obj.current, name) for name in SAID}:
            revise_course(obj, by=request.user, note=form.cleaned_data["note"], **said)
            obj.refresh_from_db()
        if "is_offered" in form.changed_data:
            offer_course(obj, is_offered=form.cleaned_data["is_offered"], by=request.user)


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

"""Questions about followers, and works noted as published."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.certification.admin.forms import said
from incubator.certification.choices import FlagKind
from incubator.certification.models import Candidate, Flag, Work
from incubator.certification.services import clear_flag, note_work, report_flag, take_back_work
from incubator.common.charts import line_chart
from incubator.common.desk import (
    Colours,
    Move,
    NoQuestions,
    QuestionFilter,
    Reason,
    ScopedAdmin,
    Section,
    adopt,
    link_to,
    number,
    table,
)
from incubator.metrics.queries import FRESH_DAYS, history
from trainees.desk import SearchedByPerson

CHART_AROUND = timedelta(days=45)


class Clearance(NoQuestions):
    """Asks why the followers are believed."""

    reason = said(_("Why the followers are believed"))


class OpenFilter(QuestionFilter):
    """Shows what waits for an answer unless asked for something else."""

    title = _("answer")
    parameter_name = "answer"
    all_option = None
    questions = {
        "open": (_("open"), lambda rows: rows.filter(cleared_at=None)),
        "cleared": (_("cleared"), lambda rows: rows.exclude(cleared_at=None)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "open"


def _followers(request: HttpRequest, flag: Flag) -> Section | None:
    """The account's followers around the day."""
    first, last = flag.day - CHART_AROUND, flag.day + CHART_AROUND
    points = history([flag.account_id], since=first, until=last)[flag.account_id]
    title = gettext("Followers around this day")
    near = [point for point in points if abs((point[0] - flag.day).days) <= 5]
    rows = [
        (day, number(count), "-" if before is None else f"{count - before[1]:+,}")
        for before, (day, count) in zip([None, *near], near, strict=False)
    ]
    numbers = table("", [_("day"), _("followers"), _("change")], rows, empty=_("No readings."))
    return Section(title, line_chart(points, label=title, mark=flag.day, days_between=FRESH_DAYS) + numbers.html)


def _candidacies(request: HttpRequest, flag: Flag) -> Section | None:
    """Who waits for the answer."""
    if not request.user.has_perm("certification.view_candidate"):
        return None
    found = Candidate.objects.visible_to(request.user).filter(participation__trainee=flag.account.trainee_id)
    rows = [
        (link_to(c, c.rule), c.get_state_display(), c.crossed_on or "-", number(c.followers))
        for c in found.select_related("rule__badge")[:10]
    ]
    headings = [_("rule"), _("state"), _("reached on"), _("followers that day")]
    return table(_("Candidacies"), headings, rows, empty=_("None."))


class FlagForm(forms.ModelForm):
    """A report says what was seen."""

    class Meta:
        model = Flag
        fields = ["account", "day", "note"]
        widgets = {"note": UnfoldAdminTextareaWidget(attrs={"rows": 2})}


@admin.register(Flag)
class FlagAdmin(SearchedByPerson, ScopedAdmin):
    person_path = "account__trainee"
    may_edit = False
    form = FlagForm
    list_display = ["person", "county", "account", "kind_label", "day", "change_words", "note", "raised_at", "answer"]
    list_filter = [OpenFilter, "kind", "account__trainee__county"]
    list_select_related = ["account__trainee__county", "raised_by", "cleared_by"]
    search_fields = ["account__trainee__number"]
    autocomplete_fields = ["account"]
    sections = [_followers, _candidacies]
    moves = [
        Move(
            "clear",
            _("Clear"),
            clear_flag,
            form=Clearance,
            states=["open"],
            state_of=lambda flag: "cleared" if flag.cleared_at else "open",
            is_main=True,
        )
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ["account", "day", "note"]})]
        of_all = [("person", "county"), ("account", "kind"), ("day", "change"), "note", ("raised_at", "raised_by")]
        cleared = [("cleared_at", "cleared_by"), "clearance"] if obj.cleared_at else []
        return [(None, {"fields": [*of_all, *cleared]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["person", "county", "raised_at", "cleared_at", "cleared_by", "clearance"] if obj else []

    def save_model(self, request: HttpRequest, obj: Flag, form: Any, change: bool) -> None:
        adopt(obj, report_flag(obj.account, day=obj.day, note=obj.note, by=request.user))

    @display(description=_("trainee"), ordering="account__trainee__number")
    def person(self, row: Flag) -> str:
        return str(row.account.trainee)

    @display(description=_("county"), ordering="account__trainee__county")
    def county(self, row: Flag) -> str:
        return row.account.trainee.county.name

    @display(
        description=_("what"),
        ordering="kind",
        label=Colours({FlagKind.INFLATION: "warning", FlagKind.REGRESSION: "info", FlagKind.REPORTED: "danger"}),
    )
    def kind_label(self, row: Flag) -> tuple[str, str]:
        return row.kind, row.get_kind_display()

    @display(description=_("change of followers"), ordering="change")
    def change_words(self, row: Flag) -> str:
        return f"{row.change:+,}" if row.change else "-"

    @display(description=_("answer"), ordering="cleared_at")
    def answer(self, row: Flag) -> Any:
        return _("open") if row.cleared_at is None else row.clearance


class CountedFilter(QuestionFilter):
    title = _("counts")
    parameter_name = "counts"
    questions = {
        "yes": (_("counts"), lambda rows: rows.filter(taken_back_at=None)),
        "no": (_("taken back"), lambda rows: rows.exclude(taken_back_at=None)),
    }


@admin.register(Work)
class WorkAdmin(SearchedByPerson, ScopedAdmin):
    person_path = "trainee"
    may_edit = False
    list_display = ["title", "person", "county", "published_on", "noted_by", "counts"]
    list_filter = [CountedFilter, "trainee__county"]
    list_select_related = ["trainee__county", "noted_by"]
    search_fields = ["trainee__number"]
    autocomplete_fields = ["trainee"]
    moves = [
        Move(
            "take_back",
            _("Take back"),
            take_back_work,
            form=Reason,
            states=["counts"],
            state_of=lambda work: "taken back" if work.taken_back_at else "counts",
        )
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        of_all = ["trainee", "title", "address", "published_on"]
        noted = [("noted_by", "noted_at")] if obj else []
        taken = [("taken_back_at", "taken_back_by"), "taken_back_why"] if obj and obj.taken_back_at else []
        return [(None, {"fields": [*of_all, *noted, *taken]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["noted_by", "noted_at", "taken_back_at", "taken_back_by", "taken_back_why"] if obj else []

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return None if obj else ["noted_by", "taken_back_by"]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "address":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Work, form: Any, change: bool) -> None:
        written = note_work(
            obj.trainee, title=obj.title, address=obj.address, published_on=obj.published_on, by=request.user
        )
        adopt(obj, written)

    @display(description=_("trainee"), ordering="trainee__number")
    def person(self, row: Work) -> str:
        return str(row.trainee)

    @display(description=_("county"), ordering="trainee__county")
    def county(self, row: Work) -> str:
        return row.trainee.county.name

    @display(description=_("counts"), boolean=True)
    def counts(self, row: Work) -> bool:
        return row.taken_back_at is None

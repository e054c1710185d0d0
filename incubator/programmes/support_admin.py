"""Support periods on the staff desk: what was done to them, what can be done, and whose end is near."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminSingleDateWidget

from incubator.common.dates import moment
from incubator.common.desk import (
    Move,
    QuestionFilter,
    ReadOnlyAdmin,
    Reason,
    Section,
    columns,
    facts,
    link_to,
    link_where_open,
    table,
)
from incubator.programmes import queries
from incubator.programmes.choices import Cause, ChangeKind, ParticipationState
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.periods import Pause, Period
from incubator.programmes.support import extend_support, pause_support, resume_support, take_back_support_change
from trainees.desk import SearchedByPerson
from trainees.queries import SEARCH_HELP

MAY_DECIDE = "programmes.decide_supportchange"

# --- What can be done -------------------------------------------------------------------------------------------------


def _cause() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=pgettext_lazy("support period", "Cause"), choices=Cause.choices, widget=UnfoldAdminSelectWidget
    )


def _day(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=UnfoldAdminSingleDateWidget, **more)


class ExtendForm(Reason):
    """By how many days, and why."""

    days = forms.IntegerField(label=_("Days"), min_value=1, initial=30, widget=UnfoldAdminIntegerFieldWidget)
    cause = _cause()
    field_order = ["days", "cause", "reason"]


class PauseForm(Reason):
    """From when to when, and why."""

    first_day = _day(_("First day"), initial=timezone.localdate)
    last_day = _day(_("Last day (empty: until further notice)"), required=False)
    cause = _cause()
    field_order = ["first_day", "last_day", "cause", "reason"]


class ResumeForm(Reason):
    """From when on the period runs again."""

    goes_on_on = _day(_("Goes on from"), initial=timezone.localdate)
    field_order = ["goes_on_on", "reason"]


def _extend(row: Participation, *, by: Any, **answers: Any) -> None:
    extend_support(row, by=by, on=timezone.localdate(), **answers)


def _pause(row: Participation, *, by: Any, **answers: Any) -> None:
    pause_support(row, by=by, on=timezone.localdate(), **answers)


def _resume(row: Participation, *, by: Any, **answers: Any) -> None:
    resume_support(row, by=by, on=timezone.localdate(), **answers)


def _take_back(row: SupportChange, *, by: Any, reason: str) -> None:
    take_back_support_change(row, by=by, reason=reason, on=timezone.localdate())


def _standing(row: Participation) -> str:
    """``paused`` while a pause runs; else the state."""
    if row.state != ParticipationState.GRADUATED:
        return row.state
    return "paused" if SupportChange.objects.filter(participation=row).pauses_on(timezone.localdate()) else row.state


SUPPORT_MOVES = [
    Move(
        "extend_support",
        _("Extend support"),
        _extend,
        form=ExtendForm,
        states=[ParticipationState.GRADUATED],
        permission=MAY_DECIDE,
    ),
    Move(
        "pause_support",
        _("Pause support"),
        _pause,
        form=PauseForm,
        states=[ParticipationState.GRADUATED],
        permission=MAY_DECIDE,
    ),
    Move(
        "resume_support",
        _("Resume support"),
        _resume,
        form=ResumeForm,
        states=["paused"],
        state_of=_standing,
        permission=MAY_DECIDE,
    ),
]


class SupportFilter(QuestionFilter):
    title = _("support period")
    parameter_name = "support"
    questions = {
        "now": (
            pgettext_lazy("support period", "running or paused"),
            lambda rows: queries.supported(rows, timezone.localdate()),
        ),
        "paused": (pgettext_lazy("support period", "paused"), lambda rows: queries.paused(rows, timezone.localdate())),
        "soon": (_("ends within 30 days"), lambda rows: queries.ending_soon(rows, timezone.localdate())),
        "over": (pgettext_lazy("support period", "over"), lambda rows: queries.over(rows, timezone.localdate())),
    }


# --- What was done ----------------------------------------------------------------------------------------------------


def support_section(request: HttpRequest, participation: Participation) -> Section | None:
    """The period of a participation with everything done to it; why only for whoever may know."""
    rows = queries.story(participation)
    period, today = queries.period_from(participation, rows), timezone.localdate()
    if period is None and not rows:
        return None
    parts = [] if period is None else [facts(_("As of today"), _facts(participation, period, today))]
    return columns(_("Support period"), [*parts, _timeline(request, rows)], note=_note(period, today))


def _note(period: Period | None, today: date) -> str:
    if period is None or not period.starts_on <= today <= period.ends_on(today):
        return ""
    if period.pause_on(today):
        return pgettext("support period", "paused")
    left = (period.ends_on(today) - today).days + 1
    return ngettext("%(count)s day left", "%(count)s days left", left) % {"count": left}


def _facts(participation: Participation, period: Period, today: date) -> Iterator[tuple[Any, Any]]:
    cohort, ends_on = participation.cohort, period.ends_on(today)
    left = max(0, (ends_on - max(today, period.starts_on)).days + 1)
    yield _("support from"), period.starts_on
    yield _("support until"), ends_on
    yield _("support until, as given"), period.base_ends_on
    yield _("days left, today counted"), left
    of = gettext("%(given)s of %(most)s")
    yield _("days of extension"), of % {"given": period.extended, "most": cohort.most_extension_days}
    yield _("days of pause"), of % {"given": period.paused_days(), "most": cohort.most_pause_days}
    pause = period.pause_on(today)
    if pause is not None:
        yield _("now"), _pause_words(pause)


def _pause_words(pause: Pause) -> str:
    days = {"first": pause.first, "last": pause.last}
    if pause.is_open:
        return gettext("paused since %(first)s until further notice, until %(last)s at the latest") % days
    return gettext("paused from %(first)s to %(last)s") % days


def _timeline(request: HttpRequest, rows: list[SupportChange]) -> Section:
    may_know = request.user.has_perm("programmes.view_supportchange")
    gone = {row.about_id: row for row in rows if row.kind == ChangeKind.TAKING_BACK}
    told = [
        (
            moment(row.at),
            link_where_open(request, row, said(row)),
            (row.get_cause_display() or "-") if may_know else "-",
            row.by,
            row.reason if may_know else "-",
            moment(gone[row.pk].at) if row.pk in gone else "",
        )
        for row in rows
    ]
    headings = [
        _("at"),
        _("change"),
        pgettext_lazy("support period", "cause"),
        _("by"),
        _("reason"),
        _("taken back at"),
    ]
    return table(_("What was done"), headings, told, empty=_("Nothing: the period is as it was given."))


def said(row: SupportChange) -> str:
    """What a change did, in words. Needs ``about`` loaded."""
    if row.kind == ChangeKind.EXTENSION:
        return ngettext("Extended by %(count)s day", "Extended by %(count)s days", row.days or 0) % {"count": row.days}
    if row.kind == ChangeKind.PAUSE:
        days = {"first": row.first_day, "last": row.last_day}
        if row.is_open:
            return gettext("Paused from %(first)s until further notice, until %(last)s at the latest") % days
        return gettext("Paused from %(first)s to %(last)s") % days
    if row.kind == ChangeKind.RESUMPTION:
        return gettext("Pause ended on %(last)s") % {"last": row.last_day}
    return gettext("Taken back: %(what)s") % {"what": said(row.about) if row.about else ""}


def _counts(rows: Any) -> Any:
    return rows.in_force()


class TakenBackFilter(QuestionFilter):
    title = _("whether it counts")
    parameter_name = "counts"
    questions = {
        "yes": (pgettext_lazy("support period", "counts"), _counts),
        "no": (_("taken back"), lambda rows: rows.filter(answers__kind=ChangeKind.TAKING_BACK)),
    }


class OfSupport(SearchedByPerson, ReadOnlyAdmin):
    """Rows that hang on a participation and say something about its support period."""

    list_display_links = ["number", "name"]
    list_select_related = ["participation__trainee__county", "participation__cohort__programme"]
    search_fields = ["participation__trainee__number"]
    search_help_text = SEARCH_HELP

    @display(description=_("trainee number"), ordering="participation__trainee__number")
    def number(self, row: Any) -> str:
        return row.participation.trainee.number

    @display(description=pgettext_lazy("person", "name"), ordering="participation__trainee__name")
    def name(self, row: Any) -> str:
        return row.participation.trainee.name

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Any) -> str:
        return row.participation.trainee.county.name

    @display(description=_("cohort"), ordering="participation__cohort")
    def cohort(self, row: Any) -> str:
        return str(row.participation.cohort)

    @display(description=_("participation"))
    def whose(self, row: Any) -> Any:
        return link_to(row.participation)


def _fate(request: HttpRequest, change: SupportChange) -> Section | None:
    """That a change was taken back: when, by whom, why."""
    row = change.answers.filter(kind=ChangeKind.TAKING_BACK).select_related("by").first()
    if row is None:
        return None
    return facts(_("Taken back"), [(_("at"), moment(row.at)), (_("by"), row.by), (_("reason"), row.reason)])


@admin.register(SupportChange)
class SupportChangeAdmin(OfSupport):
    list_display = ["number", "name", "county", "cohort", "what", "cause", "by", "at"]
    list_filter = ["kind", "cause", TakenBackFilter, "participation__cohort", "participation__trainee__county"]
    list_select_related = [*OfSupport.list_select_related, "by", "about__about"]
    fields = ["whose", "what", "cause", "reason", ("by", "at")]
    readonly_fields = ["whose", "what"]
    sections = [_fate]
    moves = [
        Move(
            "take_back",
            _("Take this change back"),
            _take_back,
            form=Reason,
            states=[ChangeKind.EXTENSION, ChangeKind.PAUSE, ChangeKind.RESUMPTION],
            state_of=lambda row: row.kind if not row.answers.filter(kind=ChangeKind.TAKING_BACK) else "gone",
            permission=MAY_DECIDE,
        )
    ]

    @display(description=_("change"))
    def what(self, row: SupportChange) -> str:
        return said(row)


def _due_now(rows: Any) -> Any:
    return rows.due(timezone.localdate())


class DueFilter(QuestionFilter):
    """Shows what is due unless asked for something else."""

    title = pgettext_lazy("reminder", "state")
    parameter_name = "due"
    all_option = None
    questions = {
        "now": (pgettext_lazy("reminder", "due"), _due_now),
        "closed": (pgettext_lazy("reminder", "closed"), lambda rows: rows.exclude(closed_at=None)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "now"


@admin.register(SupportReminder)
class SupportReminderAdmin(OfSupport):
    list_display = ["number", "name", "county", "cohort", "ends_on", "days_left", "stage", "is_seen", "outcome"]
    list_filter = [DueFilter, "participation__cohort", "participation__trainee__county"]
    fields = ["whose", ("ends_on", "stage", "due_on"), ("made_at", "seen_at"), ("closed_at", "outcome")]
    readonly_fields = ["whose"]

    @display(description=_("days left, today counted"), ordering="ends_on")
    def days_left(self, row: SupportReminder) -> int | str:
        return "-" if row.closed_at else max(0, (row.ends_on - timezone.localdate()).days + 1)

    @display(description=_("seen by the trainee"), boolean=True)
    def is_seen(self, row: SupportReminder) -> bool:
        return row.seen_at is not None

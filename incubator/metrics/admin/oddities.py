"""What was not taken for a fact as it came: figures held back, readings corrected, leaps of followers."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from incubator.common.charts import line_chart
from incubator.common.dates import moment
from incubator.common.desk import (
    Move,
    NoQuestions,
    QuestionFilter,
    ReadOnlyAdmin,
    Section,
    facts,
    link_to,
    number,
    table,
)
from incubator.common.exports import Exported
from incubator.metrics.choices import QuarantineState
from incubator.metrics.events import EXPLAINED
from incubator.metrics.finders import accounts_by_handle
from incubator.metrics.models import Correction, CreatorAccount, QuarantinedReading, Spike
from incubator.metrics.queries import FRESH_DAYS, history, with_traffic
from incubator.metrics.services.readings import accept_reading, reject_reading
from trainees.queries import person_q, tidy

CHART_AROUND, TABLE_AROUND = timedelta(days=45), timedelta(days=7)
# Remarks of those that were decided by a later figure, not by somebody.
DECIDED_BY_ITSELF = {
    "confirmed": _("a later figure was near this one"),
    "contradicted": _("a later figure was near the one before"),
    "answered": _("the account was read after it"),
    "again": _("a newer answer was unusable too"),
    EXPLAINED: _("the platform removed followers on that day"),
}
SENTENCES_OF_FIGURES = [
    _(
        "Accept: the figure becomes the reading of its day. It is then the account's newest figure if nothing newer "
        "was read, it counts in the county's figures, and it may make the trainee a candidate."
    ),
    _(
        "Reject: the figure stays out of the history for good. The day has no reading, which is not 0, and the next "
        "figure is compared with the last reading again."
    ),
    _(
        "Wait: the account is read again the next day. A figure near this one accepts it by itself, a figure near the "
        "one before rejects it."
    ),
]
SENTENCES_OF_UNUSABLE = [
    _("There is nothing in this answer that could be a reading, so it cannot be accepted. It was not counted as 0."),
    _("Reject: somebody has seen it. Nothing else changes."),
    _("Wait: the account's next reading closes it by itself."),
]


class Remark(NoQuestions):
    """Asks for a remark, which may stay empty."""

    remark = forms.CharField(
        label=_("Remark"), max_length=200, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def factor_of(row: QuarantinedReading) -> str:
    """How many times the last reading the figure is, ``× 12.5``, or how many times less, ``÷ 8.0``.

    A dash where one of both is not known, or is 0.
    """
    if not row.followers or not row.last_followers:
        return "-"
    factor = row.followers / row.last_followers
    return f"× {factor:,.1f}" if factor >= 1 else f"÷ {1 / factor:,.1f}"


def remark_of(row: QuarantinedReading) -> Any:
    return DECIDED_BY_ITSELF.get(row.remark, row.remark) if row.decided_by is None else row.remark


# --- Figures held back ------------------------------------------------------------------------------------------------


def _compared(request: HttpRequest, row: QuarantinedReading) -> Section:
    """The answer beside the reading it was judged against."""
    pairs = [
        (_("why"), row.get_why_display()),
        (_("figure"), row.answer),
        (_("day"), row.day),
        (_("last reading"), number(row.last_followers)),
        (_("last read on"), row.last_day or "-"),
        (_("factor"), factor_of(row)),
        (_("source"), row.get_source_display()),
        (_("fetched at"), moment(row.fetched_at)),
        (_("refresh run"), row.run or "-"),
    ]
    return facts(_("What was told"), pairs)


def _choices(request: HttpRequest, row: QuarantinedReading) -> Section | None:
    """What each choice does, while there is one."""
    if row.state != QuarantineState.OPEN:
        return None
    sentences = SENTENCES_OF_UNUSABLE if row.followers is None else SENTENCES_OF_FIGURES
    items = format_html_join("", "<li>{}</li>", ((sentence,) for sentence in sentences))
    return Section(_("What each choice does"), format_html('<ul class="desk-list">{}</ul>', items))


def _decision(request: HttpRequest, row: QuarantinedReading) -> Section | None:
    if row.state == QuarantineState.OPEN:
        return None
    pairs = [
        (_("state"), row.get_state_display()),
        (_("decided by"), row.decided_by or _("by itself")),
        (_("decided at"), moment(row.decided_at)),
        (_("remark"), remark_of(row) or "-"),
    ]
    return facts(_("Decision"), pairs)


def _around(request: HttpRequest, row: QuarantinedReading) -> Section:
    """Readings around the day; the figure held back stands among them as a dot, and says that it is none."""
    readings = history([row.account_id], since=row.day - CHART_AROUND, until=row.day + CHART_AROUND)[row.account_id]
    points = dict(readings)
    if row.followers is not None:
        points.setdefault(row.day, row.followers)
    has_dot = row.followers is not None
    title = gettext("Readings around, with the figure held back as a dot") if has_dot else gettext("Readings around")
    drawing = line_chart(sorted(points.items()), label=title, mark=row.day, days_between=FRESH_DAYS)
    near = sorted((day, value) for day, value in points.items() if abs(day - row.day) <= TABLE_AROUND)
    known = {day for day, _value in readings}
    rows = [(day, number(value), "" if day in known else _("held back")) for day, value in near]
    numbers = table("", [_("day"), _("followers"), _("note")], rows, empty=_("No readings."))
    return Section(title, drawing + numbers.html)


def held_back(rows: QuerySet) -> QuerySet:
    """Those that wait for a decision."""
    return rows.filter(state=QuarantineState.OPEN)


def _kind(row: QuarantinedReading) -> str:
    """For the moves that fit: an open row with a figure, or whatever else it is."""
    is_open = row.state == QuarantineState.OPEN
    return "figure" if is_open and row.followers is not None else row.state


class HeldBackFilter(QuestionFilter):
    """Shows what waits for a decision unless asked for something else."""

    title = _("decision")
    parameter_name = "held"
    all_option = None
    questions = {
        "open": (_("to be looked at"), held_back),
        "accepted": (_("accepted"), lambda rows: rows.filter(state=QuarantineState.ACCEPTED)),
        "rejected": (_("rejected"), lambda rows: rows.filter(state=QuarantineState.REJECTED)),
        "all": (_("all"), lambda rows: rows),
    }

    def value(self) -> str:
        return super().value() or "open"


class OddityAdmin(ReadOnlyAdmin):
    """Of one account and day, which hang on a trainee of a county."""

    list_select_related = ["account__trainee__county"]
    search_fields = ["account__handle"]
    search_help_text = _("Account number, or the trainee's number, name, mobile or ID number")

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """A handle is asked first, then the person: two indexes one after the other, never both at once."""
        term = tidy(search_term)
        if not term:
            return queryset, False
        by_handle = queryset.filter(account__in=accounts_by_handle(CreatorAccount.objects.order_by(), term))
        return (by_handle if by_handle.exists() else queryset.filter(person_q(term, "account__trainee__"))), False

    @display(description=_("account"))
    def account_link(self, row: Any) -> Any:
        return link_to(row.account)

    @display(description=_("trainee"))
    def trainee_link(self, row: Any) -> Any:
        return link_to(row.account.trainee)

    @display(description=_("trainee"), ordering="account__trainee__number")
    def person(self, row: Any) -> str:
        return str(row.account.trainee)

    @display(description=_("county"), ordering="account__trainee__county")
    def county(self, row: Any) -> str:
        return row.account.trainee.county.name


@admin.register(QuarantinedReading)
class QuarantinedReadingAdmin(OddityAdmin):
    list_display = [
        "day",
        "account",
        "figure",
        "last_figure",
        "last_day",
        "factor",
        "why_label",
        "person",
        "county",
        "source",
        "state_label",
    ]
    list_filter = [HeldBackFilter, "why", "account__platform", "account__trainee__county"]
    list_select_related = ["account__trainee__county", "run", "decided_by"]
    fields = [("account_link", "trainee_link", "county", "state")]
    readonly_fields = ["account_link", "trainee_link", "county"]
    sections = [_compared, _choices, _decision, _around]
    moves = [
        Move("accept", _("Accept"), accept_reading, form=Remark, states=["figure"], state_of=_kind),
        Move("reject", _("Reject"), reject_reading, form=Remark, states=[QuarantineState.OPEN]),
    ]

    @display(description=_("figure"), ordering="followers")
    def figure(self, row: QuarantinedReading) -> str:
        return row.answer

    @display(description=_("last reading"), ordering="last_followers")
    def last_figure(self, row: QuarantinedReading) -> str:
        return number(row.last_followers)

    @display(description=_("factor"))
    def factor(self, row: QuarantinedReading) -> str:
        return factor_of(row)

    @display(description=_("why"), ordering="why")
    def why_label(self, row: QuarantinedReading) -> str:
        return row.get_why_display()

    @display(
        description=_("state"),
        ordering="state",
        label={
            QuarantineState.OPEN: "warning",
            QuarantineState.ACCEPTED: "success",
            QuarantineState.REJECTED: "danger",
        },
    )
    def state_label(self, row: QuarantinedReading) -> tuple[str, str]:
        return row.state, row.get_state_display()


# --- Corrections and leaps --------------------------------------------------------------------------------------------


@admin.register(Correction)
class CorrectionAdmin(OddityAdmin):
    """Readings whose value was replaced, with the value they had. To look at."""

    list_display = ["day", "account", "person", "county", "before", "after", "change", "new_source", "new_fetched_at"]
    list_filter = ["new_source", "account__platform", "account__trainee__county"]
    ordering = ["-new_fetched_at", "-pk"]
    exported = [Exported("change", _("change"), lambda row: row.new_followers - row.old_followers)]
    fields = [
        ("account_link", "trainee_link", "county", "day"),
        ("before", "old_source", "old_fetched_at"),
        ("after", "new_source", "new_fetched_at"),
    ]
    readonly_fields = ["account_link", "trainee_link", "county", "before", "after", "old_fetched_at"]

    @display(description=_("followers before"), ordering="old_followers")
    def before(self, row: Correction) -> str:
        return number(row.old_followers)

    @display(description=_("followers after"), ordering="new_followers")
    def after(self, row: Correction) -> str:
        return number(row.new_followers)

    @display(description=_("change"))
    def change(self, row: Correction) -> str:
        return f"{row.new_followers - row.old_followers:+,}"


@admin.register(Spike)
class SpikeAdmin(OddityAdmin):
    """Days on which an account gained far more than it usually does. Taken for facts; certification looks at them."""

    list_display = ["day", "account", "person", "county", "gained_a_day", "usual_a_day", "ran_traffic"]
    list_filter = ["account__platform", "account__trainee__county"]
    fields = [
        ("account_link", "trainee_link", "county", "day"),
        ("gained_a_day", "usual_a_day", "ran_traffic"),
    ]
    readonly_fields = ["account_link", "trainee_link", "county", "gained_a_day", "usual_a_day", "ran_traffic"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_traffic(super().get_queryset(request))

    @display(description=_("gained a day"), ordering="gained")
    def gained_a_day(self, row: Spike) -> str:
        return f"+{row.gained:,}"

    @display(description=_("usually a day"), ordering="usual")
    def usual_a_day(self, row: Spike) -> str:
        return f"{row.usual:+,.0f}"

    @display(description=_("under a traffic grant"), boolean=True)
    def ran_traffic(self, row: Any) -> bool:
        return row.ran_traffic

"""The staff desk's pages of this room."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.dates import moment
from incubator.common.desk import (
    HAPPENINGS_SHOWN,
    Colours,
    Happening,
    Move,
    Part,
    QuestionFilter,
    ReadOnlyAdmin,
    Reason,
    ScopedAdmin,
    Section,
    adopt,
    extend_desk,
    link_to,
    number,
    table,
)
from incubator.common.exports import Exported
from incubator.grants.choices import MOVES, GrantState
from incubator.grants.models import Grant, GrantMove, LedgerEntry, TrafficPool
from incubator.grants.services import approve_grant, cancel_grant, propose_grant, refuse_grant
from incubator.programmes.models import Participation
from trainees.desk import SearchedByPerson
from trainees.models import Trainee

LITTLE_LEFT = 10  # per cent
GRANTS_SHOWN = 50


# --- Pools ------------------------------------------------------------------------------------------------------------


def nearly_used_up(pools: QuerySet) -> QuerySet:
    """Pools with no more than a tenth of their impressions left."""
    return pools.filter(promised__gte=F("impressions") * (100 - LITTLE_LEFT) / 100)


class LeftFilter(QuestionFilter):
    title = _("impressions left")
    parameter_name = "left"
    questions = {"little": (_("nearly used up"), nearly_used_up)}


class PoolForm(forms.ModelForm):
    def clean_impressions(self) -> int:
        """No fewer than what is promised: the database would refuse it, this says so beside the field."""
        impressions: int = self.cleaned_data["impressions"]
        if impressions < self.instance.promised:
            raise ValidationError(_("The pool has promised more impressions than that already."))
        return impressions


def _pool_grants(request: HttpRequest, pool: TrafficPool) -> Section | None:
    if not request.user.has_perm("grants.view_grant"):
        return None
    found = Grant.objects.visible_to(request.user).filter(pool=pool).select_related("participation__trainee")
    return _grant_table(_("Latest grants from this pool"), found[:GRANTS_SHOWN])


@admin.register(TrafficPool)
class TrafficPoolAdmin(ScopedAdmin):
    """A budget is nobody's region: whoever may see pools sees all of them, and of their grants only their own."""

    is_reference = True
    form = PoolForm
    list_display = ["name", "cohort", "total", "promised_label", "left_label"]
    list_filter = [LeftFilter, "cohort"]
    list_select_related = ["cohort__programme"]
    search_fields = ["name"]
    exported = [Exported("left_label", _("impressions left"), "left")]
    fields = ["name", "cohort", "impressions"]
    sections = [_pool_grants]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": [*self.fields, ("promised_label", "left_label")] if obj else self.fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["promised_label", "left_label"] if obj else []

    @display(description=_("impressions"), ordering="impressions")
    def total(self, pool: TrafficPool) -> str:
        return number(pool.impressions)

    @display(description=_("impressions promised"), ordering="promised")
    def promised_label(self, pool: TrafficPool) -> str:
        return number(pool.promised)

    @display(description=_("impressions left"))
    def left_label(self, pool: TrafficPool) -> str:
        return number(pool.left)


# --- Grants -----------------------------------------------------------------------------------------------------------


def _history(request: HttpRequest, grant: Grant) -> Section:
    moves = GrantMove.objects.filter(grant=grant).select_related("by")
    rows = [(moment(m.at), str(m), m.by, m.reason) for m in moves]
    return table(_("Changes of state"), [_("at"), _("change"), _("by"), _("reason")], rows, empty=_("None so far."))


def states_before(after: GrantState) -> list[str]:
    return [before for before, allowed in MOVES.items() if after in allowed]


def _approve(grant: Grant, *, by: Any) -> None:
    approve_grant(grant, by=by, on=timezone.localdate())


@admin.register(Grant)
class GrantAdmin(SearchedByPerson, ScopedAdmin):
    """What was proposed stands; a grant is moved, not edited."""

    may_edit = False
    list_display = ["person", "county", "pool", "amount", "level", "state_label", "proposed_on", "approved_on"]
    list_filter = ["state", "pool", "level", "participation__trainee__county"]
    list_select_related = ["participation__trainee__county", "participation__cohort__programme", "pool"]
    search_fields = ["participation__trainee__number"]
    autocomplete_fields = ["participation"]
    fields = ["participation", "pool", ("impressions", "level")]
    sections = [_history]
    moves = [
        Move("approve", _("Approve"), _approve, states=states_before(GrantState.APPROVED), is_main=True),
        Move("refuse", _("Refuse"), refuse_grant, form=Reason, states=states_before(GrantState.REFUSED)),
        Move("cancel", _("Take back"), cancel_grant, form=Reason, states=states_before(GrantState.CANCELLED)),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [("state", "proposed_by"), ("proposed_on", "approved_on")] if obj else []
        return [(None, {"fields": [*self.fields, *shown]})]

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        written = propose_grant(
            obj.pool,
            participation=obj.participation,
            impressions=obj.impressions,
            level=obj.level,
            by=request.user,
            on=timezone.localdate(),
        )
        adopt(obj, written)

    @display(description=_("trainee"), ordering="participation__trainee__number")
    def person(self, row: Grant) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: Grant) -> str:
        return row.participation.trainee.county.name

    @display(description=_("impressions"), ordering="impressions")
    def amount(self, row: Grant) -> str:
        return number(row.impressions)

    @display(
        description=_("state"),
        ordering="state",
        label=Colours({GrantState.PROPOSED: "info", GrantState.APPROVED: "success", GrantState.REFUSED: "danger"}),
    )
    def state_label(self, row: Grant) -> tuple[str, str]:
        return row.state, row.get_state_display()


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = ["at", "pool", "person", "kind", "amount", "by"]
    list_filter = ["pool", "kind", "grant__participation__trainee__county"]
    list_select_related = ["pool", "grant__participation__trainee", "by"]
    fields = ["pool", "grant", ("kind", "impressions"), ("at", "by")]

    @display(description=_("trainee"))
    def person(self, row: LedgerEntry) -> str:
        return str(row.grant.participation.trainee)

    @display(description=_("impressions"), ordering="impressions")
    def amount(self, row: LedgerEntry) -> str:
        return number(row.impressions)


# --- Added to the pages of participations and trainees ----------------------------------------------------------------


def _grant_table(title: Any, grants: Any) -> Section:
    rows = [
        (
            link_to(g, g.proposed_on),
            g.participation.trainee,
            number(g.impressions),
            g.get_level_display(),
            g.get_state_display(),
        )
        for g in grants
    ]
    headings = [_("proposed on"), _("trainee"), _("impressions"), _("level"), _("state")]
    return table(title, headings, rows, empty=_("None."))


def _grants_of(request: HttpRequest, **whose: Any) -> Section | None:
    if not request.user.has_perm("grants.view_grant"):
        return None
    found = Grant.objects.visible_to(request.user).filter(**whose).select_related("participation__trainee")
    return _grant_table(gettext("Traffic grants"), found)


def _trainee_grants(request: HttpRequest, trainee: Trainee) -> Section | None:
    if not request.user.has_perm("grants.view_grant"):
        return None
    found = Grant.objects.visible_to(request.user).filter(participation__trainee=trainee)
    part = Part.of(found.select_related("participation__cohort__programme"))
    rows = [
        (
            link_to(g, g.proposed_on),
            g.participation.cohort,
            number(g.impressions),
            g.get_level_display(),
            g.get_state_display(),
            g.approved_on or "-",
        )
        for g in part.rows
    ]
    headings = [_("proposed on"), _("cohort"), _("impressions"), _("level"), _("state"), _("approved on")]
    more = part.link(Grant, trainee.number)
    return table(_("Traffic grants"), headings, rows, empty=_("None."), more=more, note=part.count)


def _moves(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    if not request.user.has_perm("grants.view_grant"):
        return
    own = Grant.objects.visible_to(request.user).filter(participation__trainee=trainee)
    for move in (
        GrantMove.objects.filter(grant__in=own).select_related("by", "grant").order_by("-pk")[:HAPPENINGS_SHOWN]
    ):
        words = gettext("Traffic grant of %(impressions)s") % {"impressions": number(move.grant.impressions)}
        yield Happening(move.at, f"{words} · {move}", move.by, move.reason)


extend_desk(Trainee, sections=[_trainee_grants], happenings=[_moves])
extend_desk(Participation, sections=[lambda request, participation: _grants_of(request, participation=participation)])

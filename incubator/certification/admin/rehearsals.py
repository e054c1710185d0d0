"""Rehearsals of drafts: totals, counties and people, each as far as the reader sees them."""

from typing import Any

from django.contrib import admin
from django.db.models import IntegerField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.admin.words import one_line, reads
from incubator.certification.models import Rehearsal, RehearsalCounty, RehearsalPerson, Rule
from incubator.common.dates import moment
from incubator.common.desk import ReadOnlyAdmin, Section, columns, link_to, number, table
from incubator.regions.scoping import scope_of

FIGURES = ("meets", "met", "gains", "loses")
COUNTIES_SHOWN, COUNTIES_ASKED, PEOPLE_SHOWN = 3_000, 20, 50


def signed(change: int) -> str:
    """``+12``, ``-3``, and plain for nobody."""
    return f"{change:+,}" if change else "0"


def with_counts(rehearsals: QuerySet, user: Any) -> QuerySet:
    """Annotate ``seen_meets``, ``seen_met`` …: of the counties that the user sees, and of no other."""
    own = RehearsalCounty.objects.visible_to(user).filter(rehearsal=OuterRef("pk")).order_by().values("rehearsal")
    return rehearsals.annotate(
        **{
            f"seen_{name}": Coalesce(
                Subquery(own.annotate(sum=Sum(name)).values("sum")), 0, output_field=IntegerField()
            )
            for name in FIGURES
        }
    )


def rehearsals_of(request: HttpRequest, rule: Rule, but: int = 0) -> Section:
    """The rehearsals of a version, newest first, with what each had for conditions."""
    rows = with_counts(rule.rehearsals.select_related("against__badge", "by").exclude(pk=but), request.user)[:20]
    shown = [
        (
            link_to(done, moment(done.at)),
            signed(done.seen_gains),
            signed(-done.seen_loses),
            number(done.seen_meets),
            number(done.seen_met),
            _("these") if done.conditions == rule.conditions else one_line(done.conditions),
            done.against or gettext("none"),
            done.day,
            done.by,
        )
        for done in rows
    ]
    headings = [
        _("rehearsed at"),
        _("gain"),
        _("lose"),
        _("would meet it"),
        _("meet the present version"),
        _("conditions"),
        _("against the version"),
        _("readings up to"),
        _("by"),
    ]
    return table(_("Rehearsals of this version"), headings, shown, empty=_("Not rehearsed yet."))


def changes_section(request: HttpRequest, rehearsal: Rehearsal, most: int = COUNTIES_ASKED) -> Section:
    """What changes by county, the counties with the most changes first."""
    found = RehearsalCounty.objects.visible_to(request.user).filter(rehearsal=rehearsal)
    found = found.select_related("county__prefecture", "county__province")
    rows = sorted(found[:COUNTIES_SHOWN], key=lambda row: (-(row.gains + row.loses), row.county_id))
    shown = [
        (row.county.path_name, signed(row.gains), signed(-row.loses), number(row.meets), number(row.met))
        for row in rows[:most]
    ]
    headings = [_("county"), _("gain"), _("lose"), _("would meet it"), _("meet the present version")]
    more = len(rows) - most
    title = _("By county") if more <= 0 else _("By county, those with the most changes")
    return table(title, headings, shown, empty=_("Nobody of your counties meets either version."))


def _totals(request: HttpRequest, rehearsal: Any) -> Section:
    context = {"rehearsal": rehearsal, "is_everybody": scope_of(request.user).everything}
    return Section(_("In all"), SafeString(render_to_string("admin/certification/totals.html", context)))


def _conditions(request: HttpRequest, rehearsal: Rehearsal) -> Section:
    parts = [Section(_("The draft, as it was"), reads(rehearsal.conditions))]
    if rehearsal.against is not None:
        parts.append(Section(_("The version it was compared with"), reads(rehearsal.against.conditions)))
    return columns(_("Conditions"), parts)


def _counties(request: HttpRequest, rehearsal: Rehearsal) -> Section:
    return changes_section(request, rehearsal, most=COUNTIES_SHOWN)


def _people(request: HttpRequest, rehearsal: Any) -> Section:
    return columns(
        _("Who is concerned"),
        [
            _list(request, rehearsal, gains=True, title=_("Who would gain"), count=rehearsal.seen_gains),
            _list(request, rehearsal, gains=False, title=_("Who would lose"), count=rehearsal.seen_loses),
        ],
    )


def _list(request: HttpRequest, rehearsal: Rehearsal, *, gains: bool, title: Any, count: int) -> Section:
    people = RehearsalPerson.objects.visible_to(request.user).filter(rehearsal=rehearsal, gains=gains)
    people = people.select_related("participation__trainee__county", "participation__cohort__programme")
    rows = [
        (
            link_to(person.participation.trainee),
            person.participation.trainee.county.name,
            link_to(person.participation, person.participation.cohort),
            person.participation.get_state_display(),
        )
        for person in people[:PEOPLE_SHOWN]
    ]
    more = None
    if count > len(rows):
        url = reverse("admin:certification_rehearsalperson_changelist")
        words = gettext("All of %(count)s, as far as they are kept by name") % {"count": number(count)}
        more = f"{url}?rehearsal__id__exact={rehearsal.pk}&gains__exact={int(gains)}", words
    headings = [_("trainee"), _("county"), _("participation"), _("state")]
    return table(title, headings, rows, empty=_("Nobody."), more=more)


def _earlier(request: HttpRequest, rehearsal: Rehearsal) -> Section:
    found = rehearsals_of(request, rehearsal.rule, but=rehearsal.pk)
    return Section(_("Other rehearsals of the version"), found.html)


@admin.register(Rehearsal)
class RehearsalAdmin(ReadOnlyAdmin):
    is_reference = True  # its figures are counted anew for whoever looks
    names_nobody = True
    list_display = ["rule", "at", "day", "against", "seen_meets", "seen_met", "seen_gains", "seen_loses", "by"]
    list_filter = ["rule"]
    list_select_related = ["rule__badge", "against__badge", "by"]
    fields = [("rule", "against"), ("day", "at", "by")]
    readonly_fields = ["at"]
    sections = [_totals, _conditions, _counties, _people, _earlier]

    class Media:
        css = {"all": ["admin/certification.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return with_counts(super().get_queryset(request), request.user)

    @display(description=_("would meet it"))
    def seen_meets(self, row: Any) -> str:
        return number(row.seen_meets)

    @display(description=_("meet the present version"))
    def seen_met(self, row: Any) -> str:
        return number(row.seen_met)

    @display(description=_("gain"))
    def seen_gains(self, row: Any) -> str:
        return signed(row.seen_gains)

    @display(description=_("lose"))
    def seen_loses(self, row: Any) -> str:
        return signed(-row.seen_loses)


@admin.register(RehearsalPerson)
class RehearsalPersonAdmin(ReadOnlyAdmin):
    list_display = ["person", "county", "participation", "gains", "rehearsal"]
    list_filter = ["rehearsal", "gains", "participation__trainee__county"]
    list_select_related = [
        "participation__trainee__county",
        "participation__cohort__programme",
        "rehearsal__rule__badge",
    ]
    fields = ["rehearsal", "participation", "gains"]

    @display(description=_("trainee"), ordering="participation__trainee__number")
    def person(self, row: RehearsalPerson) -> str:
        return str(row.participation.trainee)

    @display(description=_("county"), ordering="participation__trainee__county")
    def county(self, row: RehearsalPerson) -> str:
        return row.participation.trainee.county.name

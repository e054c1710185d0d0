"""Creator accounts and the consent to read them. Tokens are never shown, nor read from the table."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, F, OuterRef, QuerySet
from django.forms.widgets import Script
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
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
    ScopedAdmin,
    Section,
    adopt,
    among,
    columns,
    extend_desk,
    link_to,
    number,
    table,
)
from incubator.common.exports import Exported
from incubator.metrics.account_chart import account_chart
from incubator.metrics.admin.cohorts import cohorts_page
from incubator.metrics.admin.consent import ConsentList, consent_events, consent_reminders
from incubator.metrics.choices import CONSENTED, AccountState
from incubator.metrics.consents import needing_consent, said_by
from incubator.metrics.finders import accounts_by_handle
from incubator.metrics.models import Authorisation, ConsentEvent, CreatorAccount
from incubator.metrics.readings_file import readings_file
from incubator.metrics.services import register_accounts, withdraw_consent
from incubator.regions.filters import is_narrow
from trainees.models import Trainee
from trainees.queries import person_q, tidy

FAILURES_SHOWN = 20
CHART_CSS: dict[str, Sequence[str]] = {"all": ["admin/followers.css"]}
CHART_JS: list[Any] = [Script("admin/followers.js", defer=True)]


def needing_consent_now(accounts: QuerySet) -> QuerySet:
    """Accounts that need consent, for the first time or again, now or within 30 days: those of the work-list."""
    return needing_consent(accounts, at=timezone.now())


class ConsentFilter(QuestionFilter):
    title = _("consent")
    parameter_name = "consent"
    questions = {"needed": (_("needed (again)"), needing_consent_now)}


def _chart(request: HttpRequest, account: CreatorAccount, *, also: str = "", with_siblings: bool = True) -> Section:
    """Readings of the span that was asked for (``?span=``), the newest with its day and source, and the way to all.

    ``also`` is what else the page's address keeps when another span is asked for.
    """
    chart = account_chart(account, span=request.GET.get("span", ""), user=request.user, on=timezone.localdate())
    siblings = CreatorAccount.objects.none()
    if with_siblings:
        own = CreatorAccount.objects.visible_to(request.user).filter(trainee=account.trainee_id)
        siblings = own.exclude(pk=account.pk)
    context = {
        "chart": chart,
        "also": f"{also}&" if also else "",
        "latest": getattr(account, "latest", None),
        "gained": "" if chart.gained is None else f"{chart.gained:+,}",
        "siblings": [(str(a), reverse("admin:metrics_creatoraccount_change", args=[a.pk])) for a in siblings],
        "file": reverse("admin:metrics_creatoraccount_readings", args=[account.pk]),
    }
    return Section(gettext("Followers"), SafeString(render_to_string("admin/metrics/account_chart.html", context)))


def _failures(request: HttpRequest, account: CreatorAccount) -> Section:
    found = account.failures.select_related("run").order_by("-pk")[:FAILURES_SHOWN]
    rows = [(f.run.day, f.get_kind_display(), f.code or "-", moment(f.at)) for f in found]
    return table(_("Failed readings"), [_("day"), _("why"), _("platform's code"), _("at")], rows, empty=_("None."))


@admin.register(CreatorAccount)
class CreatorAccountAdmin(ScopedAdmin):
    may_edit = False
    is_long = True
    list_display = [
        "handle",
        "platform",
        "person",
        "county",
        "state_label",
        "latest_followers",
        "latest_day",
        "latest_source",
        "consent_until",
    ]
    list_filter = [ConsentFilter, "platform", "state", "latest__source", "trainee__county"]
    list_select_related = ["trainee__county", "latest"]
    search_fields = ["handle"]
    search_help_text = _("Account number, or the trainee's number, name, mobile or ID number")
    autocomplete_fields = ["trainee"]
    fields = ["trainee", ("platform", "handle")]
    sections = [_chart, consent_events, consent_reminders, _failures]
    change_list_template = "admin/metrics/accounts.html"
    moves = [
        Move("withdraw_consent", _("Withdraw consent"), withdraw_consent, states=CONSENTED),
    ]

    class Media:
        css = CHART_CSS
        js = CHART_JS

    def list_rows(self, rows: QuerySet) -> QuerySet:
        return rows.annotate(consent_ends_at=F("authorisation__refresh_expires_at"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """A handle is asked first, then the person: two indexes one after the other, never both at once."""
        term = tidy(search_term)
        if not term:
            return queryset, False
        by_handle = accounts_by_handle(queryset, term)
        return (by_handle if by_handle.exists() else queryset.filter(person_q(term, "trainee__"))), False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [("state", "latest_followers", "latest_day", "latest_source")] if obj else []
        return [(None, {"fields": [*self.fields, *shown]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["state", "latest_followers", "latest_day", "latest_source"] if obj else []

    def get_urls(self) -> list:
        cohorts = self.admin_site.admin_view(self.cohorts_view)
        file = self.admin_site.admin_view(self.readings_view)
        return [
            path("cohorts/", cohorts, name="metrics_creatoraccount_cohorts"),
            path("<int:pk>/readings.csv", file, name="metrics_creatoraccount_readings"),
            *ConsentList(self).urls(),
            *super().get_urls(),
        ]

    def cohorts_view(self, request: HttpRequest) -> TemplateResponse:
        """Cohorts beside each other."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": _("Compare cohorts"), "media": self.media}
        return TemplateResponse(request, "admin/metrics/cohorts.html", context | cohorts_page(request))

    def readings_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """All readings of an account as a file."""
        account = self.get_object(request, str(pk)) if self.has_view_permission(request) else None
        if account is None:
            raise Http404
        return readings_file(account, on=timezone.localdate())

    def save_model(self, request: HttpRequest, obj: CreatorAccount, form: Any, change: bool) -> None:
        [written] = register_accounts([(obj.trainee, obj.handle)], platform=obj.platform)
        adopt(obj, written)

    @display(description=_("trainee"), ordering="trainee__number")
    def person(self, row: CreatorAccount) -> str:
        return str(row.trainee)

    @display(description=_("county"), ordering="trainee__county")
    def county(self, row: CreatorAccount) -> str:
        return row.trainee.county.name

    @display(
        description=_("state"),
        ordering="state",
        label=Colours(
            {AccountState.LINKED: "success", AccountState.NEEDS_CONSENT: "warning", AccountState.GONE: "danger"}
        ),
    )
    def state_label(self, row: CreatorAccount) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @display(description=_("followers"), ordering="latest__followers")
    def latest_followers(self, row: CreatorAccount) -> str:
        latest = getattr(row, "latest", None)
        return number(latest.followers if latest else None)

    @display(description=_("read on"), ordering="latest__day")
    def latest_day(self, row: CreatorAccount) -> Any:
        latest = getattr(row, "latest", None)
        return latest.day if latest else None

    @display(description=_("source"), ordering="latest__source")
    def latest_source(self, row: CreatorAccount) -> Any:
        latest = getattr(row, "latest", None)
        return latest.get_source_display() if latest else None

    @display(description=_("consent until"), ordering="consent_ends_at")
    def consent_until(self, row: Any) -> Any:
        return _consent_until(row)


@admin.register(Authorisation)
class AuthorisationAdmin(ReadOnlyAdmin):
    list_display = ["account", "person", "granted_at", "refresh_expires_at", "access_expires_at", "rotation"]
    list_filter = ["account__trainee__county"]
    list_select_related = ["account__trainee"]
    search_fields = ["account__handle"]
    fields = ["account", ("granted_at", "refresh_expires_at"), ("access_expires_at", "rotation"), "scopes"]
    ordering = ["refresh_expires_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("access_token", "refresh_token")

    @display(description=_("trainee"))
    def person(self, row: Authorisation) -> str:
        return str(row.account.trainee)


# --- Added to a trainee's pages ---------------------------------------------------------------------------------------


class AccountFilter(DropdownFilter):
    title = _("creator account")
    parameter_name = "account"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("any", _("has one")), ("none", _("has none")), *AccountState.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        asked, accounts = self.value(), CreatorAccount.objects.order_by()
        if asked == "none":
            return queryset.filter(~Exists(accounts.filter(trainee=OuterRef("pk"))))
        if asked in AccountState.values:
            accounts = accounts.filter(state=asked)
        elif asked != "any":
            return queryset
        return among(queryset, accounts, "trainee", is_narrow=is_narrow(request))


@display(description=_("followers"))
def trainee_followers(trainee: Trainee) -> str:
    """Of the account with the most, with the day on which it had them."""
    most, day = _most_followers(trainee)
    return number(most) if day is None else f"{number(most)} ({day})"


def _most_followers(trainee: Trainee) -> tuple[int | None, date | None]:
    found = [(a.latest.followers, a.latest.day) for a in trainee.accounts.all() if getattr(a, "latest", None)]
    return max(found, default=(None, None))


def _with_accounts(trainees: QuerySet) -> QuerySet:
    return trainees.prefetch_related("accounts__latest")


def _followers(request: HttpRequest, trainee: Trainee) -> Section | None:
    """The accounts, and the chart of one of them: the one asked for (``?account=``), else the largest."""
    if not request.user.has_perm("metrics.view_creatoraccount"):
        return None
    found = CreatorAccount.objects.visible_to(request.user).filter(trainee=trainee).order_by("pk")
    found = found.select_related("latest").annotate(consent_ends_at=F("authorisation__refresh_expires_at"))
    part = Part.of(found)
    shown = _chosen(part.rows, request.GET.get("account", ""))
    rows = [
        (link_to(a), a.get_state_display(), *_latest(a), _consent_until(a) or "-", _chart_link(a, shown))
        for a in part.rows
    ]
    headings = [_("account"), _("state"), _("followers"), _("read on"), _("consent until"), _("chart")]
    more = part.link(CreatorAccount, trainee.number)
    accounts = table("", headings, rows, empty=_("No account is entered yet."), more=more)
    if shown is None:
        return columns(_("Followers"), [accounts])
    chart = _chart(request, shown, also=f"account={shown.pk}", with_siblings=False)
    return columns(_("Followers"), [accounts, Section(str(shown), chart.html)], note=_latest(shown)[0])


def _chosen(accounts: list[Any], asked: str) -> Any:
    """The account whose chart is shown; none where there is none."""
    by_size = sorted(accounts, key=lambda a: latest.followers if (latest := getattr(a, "latest", None)) else -1)
    return next((a for a in accounts if str(a.pk) == asked), by_size[-1] if by_size else None)


def _chart_link(account: CreatorAccount, shown: CreatorAccount | None) -> Any:
    if account == shown:
        return _("shown below")
    return format_html('<a class="desk-link" href="?account={}#followers">{}</a>', account.pk, _("show"))


def _latest(account: CreatorAccount) -> tuple[str, Any]:
    latest = getattr(account, "latest", None)
    return (number(latest.followers), latest.day) if latest else ("-", "-")


def _consent_until(account: Any) -> date | None:
    is_valid = account.consent_ends_at and account.state == AccountState.LINKED
    return timezone.localtime(account.consent_ends_at).date() if is_valid else None


def _consent(request: HttpRequest, trainee: Trainee) -> Section | None:
    """What happened to the consents of all accounts, and until when they hold."""
    if not request.user.has_perm("metrics.view_creatoraccount"):
        return None
    found = ConsentEvent.objects.visible_to(request.user).filter(account__trainee=trainee)
    part = Part.of(found.select_related("account", "by"))
    rows = [
        (moment(e.at), link_to(e.account), e.get_what_display(), e.get_why_display() or "-", said_by(e))
        for e in part.rows
    ]
    headings = [_("at"), _("account"), _("what"), _("why"), _("by whom")]
    more = part.link(CreatorAccount, trainee.number)
    return table(_("Consent"), headings, rows, empty=_("The owner has not consented yet."), more=more)


def _consent_happenings(request: HttpRequest, trainee: Trainee) -> Iterator[Happening]:
    if not request.user.has_perm("metrics.view_creatoraccount"):
        return
    found = ConsentEvent.objects.visible_to(request.user).filter(account__trainee=trainee)
    for event in found.select_related("account", "by")[:HAPPENINGS_SHOWN]:
        yield Happening(event.at, str(event), event.by, event.get_why_display())


FOLLOWERS_IN_FILES = [
    Exported("trainee_followers", _("followers"), lambda trainee: _most_followers(trainee)[0]),
    Exported("followers_day", _("read on"), lambda trainee: _most_followers(trainee)[1], after="trainee_followers"),
]

extend_desk(
    Trainee,
    columns=[trainee_followers],
    exported=FOLLOWERS_IN_FILES,
    list_rows=[_with_accounts],
    filters=[AccountFilter],
    sections=[_followers, _consent],
    happenings=[_consent_happenings],
    media=[forms.Media(css=CHART_CSS, js=CHART_JS)],
)

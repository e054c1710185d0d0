"""The work-list of accounts that need consent: counties first, then the people of one, each with a message to copy.

Its pages hang below the list of creator accounts. Every one starts from ``visible_to``; a stranger's county is a 404.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.csv_files import csv_response
from incubator.common.dates import moment
from incubator.common.desk import ScopedAdmin, Section, table
from incubator.common.masking import mask_name, mask_phone
from incubator.metrics.choices import ConsentNeed
from incubator.metrics.consents import (
    TOKENS,
    Waiting,
    count_needs,
    needing_consent,
    needs_by_county,
    said_by,
    waiting_for_consent,
)
from incubator.metrics.models import CreatorAccount
from incubator.regions.models import Region

COUNTIES_A_PAGE = 50
PEOPLE_A_PAGE = 25
MESSAGES_AT_ONCE = 300  # more than anybody pastes; the file has them all
EVENTS_SHOWN = 20


class ConsentList:
    """The pages, for the admin they hang on."""

    def __init__(self, desk: ScopedAdmin) -> None:
        self.desk = desk

    def urls(self) -> list:
        pages = {
            "": (self.counties, "consent"),
            "<str:code>/": (self.people, "consent_county"),
            "<str:code>/messages/": (self.messages, "consent_messages"),
            "<str:code>/messages.txt": (self.text, "consent_text"),
            "<str:code>/list.csv": (self.csv, "consent_csv"),
        }
        return [
            path(f"consent/{route}", self.desk.admin_site.admin_view(view), name=f"metrics_creatoraccount_{name}")
            for route, (view, name) in pages.items()
        ]

    # Pages

    def counties(self, request: HttpRequest) -> HttpResponse:
        """How many need consent, by county and need."""
        need = self._need(request)
        found = needs_by_county(self._accounts(request), at=timezone.now())
        shown = [needs for needs in found if not need or needs.by_need[need]]
        page = Paginator(shown, COUNTIES_A_PAGE).get_page(request.GET.get("page"))
        totals = {one: sum(needs.by_need[one] for needs in found) for one in ConsentNeed.values}
        total = sum(needs.total for needs in found)
        rows = [(needs, [(one, label, needs.by_need[one]) for one, label in ConsentNeed.choices]) for needs in page]
        context = {
            "title": _("Accounts that need consent"),
            "page": page,
            "rows": rows,
            "total": total,
            "needs": _choices({**totals, "total": total}, need),
            "need": need,
            "headings": ConsentNeed.labels,
        }
        return self._page(request, "counties", context)

    def people(self, request: HttpRequest, code: str) -> HttpResponse:
        """The people of one county, each with the reason and a message."""
        county, need, at = self._county(request, code), self._need(request), timezone.now()
        accounts = self._accounts(request).filter(trainee__county=county)
        counts = count_needs(accounts, at=at)
        page = Paginator(_in_order(accounts, at, need), PEOPLE_A_PAGE).get_page(request.GET.get("page"))
        context = {
            "title": _("%(county)s: accounts that need consent") % {"county": county.name},
            "county": county,
            "page": page,
            "people": waiting_for_consent(list(page), at=at),
            "total": counts[need or "total"],
            "needs": _choices(counts, need),
            "need": need,
        }
        return self._page(request, "people", context)

    def messages(self, request: HttpRequest, code: str) -> HttpResponse:
        """The messages to all of them as one text to copy."""
        county, need, at = self._county(request, code), self._need(request), timezone.now()
        accounts = self._accounts(request).filter(trainee__county=county)
        people = waiting_for_consent(list(_in_order(accounts, at, need)[: MESSAGES_AT_ONCE + 1]), at=at)
        context = {
            "title": _("%(county)s: all messages") % {"county": county.name},
            "county": county,
            "text": _one_text(people[:MESSAGES_AT_ONCE]),
            "count": len(people[:MESSAGES_AT_ONCE]),
            "has_more": len(people) > MESSAGES_AT_ONCE,
            "need": need,
        }
        return self._page(request, "messages", context)

    # Files

    def text(self, request: HttpRequest, code: str) -> HttpResponse:
        """The same as a file, however many they are."""
        county, people = self._everybody(request, code)
        response = HttpResponse(_one_text(people), content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="consent-{county.code}.txt"'
        return response

    def csv(self, request: HttpRequest, code: str) -> HttpResponseBase:
        """The list as a file; names and phones are masked."""
        county, people = self._everybody(request, code)
        heading = [_("Trainee number"), _("Name"), _("Mobile"), _("Platform"), _("Account number"), _("Why")]
        return csv_response(f"consent-{county.code}.csv", [heading, *map(_csv_row, people)])

    # What they share

    def _accounts(self, request: HttpRequest) -> QuerySet[CreatorAccount]:
        if not self.desk.has_view_permission(request):
            raise PermissionDenied
        return CreatorAccount.objects.visible_to(request.user)

    def _county(self, request: HttpRequest, code: str) -> Region:
        self._accounts(request)  # who may not see accounts is not told which regions there are
        if not code.isdecimal():
            raise Http404
        return get_object_or_404(Region.objects.visible_to(request.user), pk=code)

    def _need(self, request: HttpRequest) -> str:
        need = request.GET.get("need", "")
        if need and need not in ConsentNeed.values:
            raise Http404
        return need

    def _everybody(self, request: HttpRequest, code: str) -> tuple[Region, list[Waiting]]:
        county, at = self._county(request, code), timezone.now()
        accounts = self._accounts(request).filter(trainee__county=county)
        return county, waiting_for_consent(list(_in_order(accounts, at, self._need(request))), at=at)

    def _page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.desk.admin_site.each_context(request), **context}
        return TemplateResponse(request, f"admin/metrics/consent_{name}.html", context)


def consent_list_url() -> str:
    return reverse("admin:metrics_creatoraccount_consent")


def _in_order(accounts: QuerySet, at: Any, need: str) -> QuerySet:
    """Whose consent ends first, then those who wait, by number."""
    found = needing_consent(accounts, at=at, need=need).select_related("trainee__county", "authorisation")
    order = ["authorisation__refresh_expires_at"] if need in (ConsentNeed.SOON, ConsentNeed.URGENT) else []
    return found.defer(*TOKENS).order_by(*order, "trainee__number", "pk")


def _choices(counts: dict[str, int], chosen: str) -> list[tuple[str, str, int, bool]]:
    """``(value, label, count, is chosen)`` of the filter, everybody first."""
    all_of_them = ("", _("all"), counts["total"], not chosen)
    return [all_of_them, *((n, str(ConsentNeed(n).label), counts[n], n == chosen) for n in ConsentNeed.values)]


def _one_text(people: Iterable[Waiting]) -> str:
    return "\n\n".join(waiting.message for waiting in people)


def _csv_row(waiting: Waiting) -> list[str]:
    account, trainee = waiting.account, waiting.account.trainee
    day = waiting.until or waiting.since
    why = f"{waiting.why} {day}" if day else waiting.why
    name, phone = mask_name(trainee.name), mask_phone(trainee.phone)
    return [trainee.number, name, phone, account.get_platform_display(), account.handle, why]


# --- Parts of an account's page ---------------------------------------------------------------------------------------


def consent_events(request: HttpRequest, account: CreatorAccount) -> Section:
    """What happened to the consent: a trace without tokens."""
    found = account.consent_events.select_related("by")[:EVENTS_SHOWN]
    rows = [(moment(e.at), e.get_what_display(), e.get_why_display() or "-", said_by(e)) for e in found]
    headings = [_("at"), _("what"), _("why"), _("by whom")]
    return table(_("Consent"), headings, rows, empty=_("The owner has not consented yet."))


def consent_reminders(request: HttpRequest, account: CreatorAccount) -> Section | None:
    found = account.consent_reminders.all()[:EVENTS_SHOWN]
    rows = [(r.ends_on, r.stage, moment(r.made_at), moment(r.seen_at), r.get_outcome_display() or "-") for r in found]
    headings = [_("consent until"), _("days before"), _("made at"), _("first seen by the trainee"), _("outcome")]
    return table(_("Reminders"), headings, rows) if rows else None

"""Events of the platforms in the desk: the list, a line on the home page, a section of the account's page."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.common.desk import ReadOnlyAdmin, Section, extend_desk, number
from incubator.metrics.events import events_since, sentence_of_event
from incubator.metrics.models import CreatorAccount, PlatformEvent

HOME_DAYS = 14
ACCOUNT_DAYS = 90


@admin.register(PlatformEvent)
class PlatformEventAdmin(ReadOnlyAdmin):
    names_nobody = True
    list_display = ["day", "platform", "kind", "accounts_compared", "accounts_hit", "share", "followers_lost"]
    list_filter = ["platform", "kind"]
    ordering = ["-day", "-pk"]
    fields = [("day", "platform", "kind"), ("read", "hit", "share", "lost"), "noticed_at"]
    readonly_fields = ["share"]

    @display(description=_("accounts compared"), ordering="read")
    def accounts_compared(self, row: PlatformEvent) -> str:
        return number(row.read)

    @display(description=_("accounts hit"), ordering="hit")
    def accounts_hit(self, row: PlatformEvent) -> str:
        return number(row.hit)

    @display(description=_("share"))
    def share(self, row: PlatformEvent) -> str:
        return f"{row.hit * 100 // row.read}%" if row.read else "-"

    @display(description=_("followers lost"), ordering="lost")
    def followers_lost(self, row: PlatformEvent) -> str:
        return number(row.lost)


def news_for(request: HttpRequest) -> list[str]:
    """Sentences about what platforms did lately, for whoever sees accounts."""
    user: Any = request.user
    if not user.has_perm("metrics.view_creatoraccount"):
        return []
    return [sentence_of_event(event) for event in events_since(timezone.localdate() - timedelta(days=HOME_DAYS))]


def _events(request: HttpRequest, account: CreatorAccount) -> Section | None:
    """Days on which the platform removed followers, where the chart shows them."""
    found = events_since(timezone.localdate() - timedelta(days=ACCOUNT_DAYS), platform=account.platform)
    if not found:
        return None
    lines = format_html_join("", '<p class="desk-news">{}</p>', ((sentence_of_event(event),) for event in found))
    return Section(_("What the platform did"), lines)


extend_desk(CreatorAccount, sections=[_events])

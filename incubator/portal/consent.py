"""What a trainee is told about the consent to read an account: on every page while it ends soon or is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from incubator.accounts.choices import Role
from incubator.metrics.choices import CONSENTED, AccountState, ConsentNeed
from incubator.metrics.consents import TOKENS, consent_ends_at, history_of_consent, is_own_act, need_q, stage_of
from incubator.metrics.models import ConsentEvent, ConsentReminder, CreatorAccount
from incubator.metrics.services import mark_reminders_seen
from trainees.models import Trainee

EVENTS_SHOWN = 6
# What the platforms' scopes allow, in the words of their consent pages.
SCOPES = {
    "user_info": _("your public profile: nickname, picture, sex, place, and the numbers of followers and followed"),
    "data.external.user": _("your followers by day: their number, and how many came"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """That the consent for an account ends in ``days_left`` days, or is lost (None)."""

    account: CreatorAccount
    days_left: int | None
    ends_on: date | None

    @property
    def urgency(self) -> str:
        """``soon``, ``urgent`` or ``last``, by the stage of the reminder; ``last`` where it is lost."""
        stage = None if self.days_left is None else stage_of(self.days_left, self.account.platform)
        return {30: "soon", 14: "urgent", 10: "urgent"}.get(stage or 0, "last")


def notices_of(user: Any, *, at: datetime) -> list[Notice]:
    """What this trainee has to be told; their reminders count as seen. One query while there is nothing."""
    told = need_q(ConsentNeed.SOON, at=at) | need_q(ConsentNeed.OVER, at=at)
    unseen = ConsentReminder.objects.open().filter(account=OuterRef("pk"), seen_at=None)
    accounts = list(
        CreatorAccount.objects.filter(told, trainee__user=user)
        .select_related("authorisation")
        .defer(*TOKENS)
        .annotate(has_unseen=Exists(unseen))
        .order_by("pk")
    )
    if new := [account.pk for account in accounts if account.has_unseen]:
        mark_reminders_seen(new, at=at)
    return [_notice(account, at) for account in accounts]


def _notice(account: CreatorAccount, at: datetime) -> Notice:
    ends_at = consent_ends_at(account)
    if account.state != AccountState.LINKED or ends_at is None or ends_at <= at:
        return Notice(account, None, None)
    ends_on = timezone.localdate(ends_at)
    return Notice(account, (ends_on - timezone.localdate(at)).days, ends_on)


def consent_notices(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``consent_notices`` of the trainee who asks, read where a page shows them."""

    def read() -> list[Notice]:
        user = getattr(request, "user", None)
        return notices_of(user, at=timezone.now()) if getattr(user, "role", "") == Role.TRAINEE else []

    return {"consent_notices": SimpleLazyObject(read)}


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One account on the trainee's page: what may be read, since when and until when, and what happened."""

    account: CreatorAccount
    notice: Notice | None
    scopes: list[Any]
    events: list[tuple[ConsentEvent, bool]]  # with whether the trainee did it

    @property
    def is_connected(self) -> bool:
        return self.account.state == AccountState.LINKED

    @property
    def can_withdraw(self) -> bool:
        return self.account.state in CONSENTED


def account_cards(trainee: Trainee, notices: Sequence[Notice]) -> list[AccountCard]:
    """The trainee's accounts; two queries for any number."""
    accounts = CreatorAccount.objects.filter(trainee=trainee).select_related("authorisation", "latest")
    accounts = accounts.defer(*TOKENS).order_by("pk")
    by_account = {notice.account.pk: notice for notice in notices}
    events = history_of_consent([account.pk for account in accounts])
    return [_card(account, by_account.get(account.pk), events[account.pk]) for account in accounts]


def _card(account: CreatorAccount, notice: Notice | None, events: list[ConsentEvent]) -> AccountCard:
    authorisation = getattr(account, "authorisation", None)
    scopes = [SCOPES.get(scope, scope) for scope in authorisation.scopes] if authorisation else []
    return AccountCard(account, notice, scopes, [(event, is_own_act(event)) for event in events[:EVENTS_SHOWN]])

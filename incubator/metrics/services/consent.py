"""A creator's consent: the way to the platform and back, the tokens it yields, its withdrawal and its loss."""

import asyncio
import hashlib
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.encryption import sealed_for
from incubator.common.errors import RuleBroken
from incubator.metrics.choices import CONSENTED, AccountState, ConsentAct, ConsentReason, ReminderEnd
from incubator.metrics.clients.base import PlatformError, Tokens
from incubator.metrics.models import (
    Authorisation,
    ConsentEvent,
    ConsentReminder,
    ConsentRequest,
    CreatorAccount,
)
from incubator.metrics.platforms import callback_url, client_for

CONSENT_MINUTES = 10
# Staff sit beside the creator and the answer comes back to the program that asked: there is no browser to bind it to.
ASSISTED = ""
# What the platforms' refusals of a token say. Any other means that the key is not accepted any more, as when the
# answer to its renewal was lost on the way: the old one was good for one renewal.
REASONS = {
    "expired": ConsentReason.OVER,
    "100200110": ConsentReason.OVER,
    "100200113": ConsentReason.OVER,
    "10010": ConsentReason.OVER,
    "100200106": ConsentReason.REVOKED,
    "100200109": ConsentReason.REVOKED,
    "100200111": ConsentReason.REVOKED,
    "2190003": ConsentReason.REVOKED,
}


# --- The way there and back -------------------------------------------------------------------------------------------


def begin_consent(account: CreatorAccount, *, by: Any, at: datetime, session: str, mobile: bool = False) -> str:
    """The address of the platform's consent page for this account.

    The answer must come back to the same person, in the session that holds the secret ``session`` (or ``ASSISTED``).
    """
    state = secrets.token_urlsafe(24)
    ConsentRequest.objects.create(state=state, account=account, asked_by=by, asked_at=at, session=_digest(session))
    return client_for(account.platform).authorize_url(state, redirect_uri=callback_url(), mobile=mobile)


def complete_consent(*, state: str, code: str, by: Any, at: datetime, session: str) -> CreatorAccount:
    """Take the code that came back, exchange it for tokens and store them.

    The state counts once, for its asker, in the session it was asked in.
    """
    account = _use_request(state, by=by, at=at, session=session)
    if not code:
        raise RuleBroken(_("You did not agree on the platform's page. You can try again whenever you like."))
    try:
        tokens = asyncio.run(_exchange(account.platform, code, at))
    except PlatformError:
        raise RuleBroken(_("The platform did not confirm the consent. Please try again.")) from None
    return grant_consent(account, tokens, at=at, by=by)


def _digest(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest() if session else ASSISTED


def _use_request(state: str, *, by: Any, at: datetime, session: str) -> CreatorAccount:
    since = at - timedelta(minutes=CONSENT_MINUTES)
    requests = ConsentRequest.objects.filter(
        state=state, asked_by=by, session=_digest(session), used_at=None, asked_at__gt=since
    )
    if not state or not requests.update(used_at=at):
        raise RuleBroken(_("This way back from the platform has expired. Start again with “connect account”."))
    return ConsentRequest.objects.select_related("account").get(state=state).account


async def _exchange(platform: str, code: str, at: datetime) -> Tokens:
    async with client_for(platform) as client:
        return await client.exchange(code, at=at)


def forget_requests(*, at: datetime) -> int:
    """Delete the ways to the platform that nobody can come back by any more; how many."""
    deleted, _by_model = ConsentRequest.objects.filter(asked_at__lte=at - timedelta(minutes=CONSENT_MINUTES)).delete()
    return deleted


# --- Given, withdrawn, lost -------------------------------------------------------------------------------------------


def grant_consent(account: CreatorAccount, tokens: Tokens, *, at: datetime, by: Any = None) -> CreatorAccount:
    """Store the consent and its tokens; an earlier consent of the same account is replaced."""
    values = {
        "platform": account.platform,
        "external_id": tokens.external_id,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "access_expires_at": tokens.access_expires_at,
        "refresh_expires_at": tokens.refresh_expires_at,
        "scopes": list(tokens.scopes),
        "granted_at": at,
        "rotation": 0,
        "claimed_until": None,
    }
    before = Authorisation.objects.filter(account=account).values_list("external_id", flat=True).first()
    try:
        with transaction.atomic():
            Authorisation.objects.update_or_create(account=account, defaults=values)
            CreatorAccount.objects.filter(pk=account.pk).update(state=AccountState.LINKED)
            close_reminders([account.pk], ReminderEnd.RENEWED, at=at)
            _note_grant(account, before, tokens, at=at, by=by)
    except IntegrityError:
        raise RuleBroken(
            _("The account you chose on the platform is connected to another trainee. Log in there with your own.")
        ) from None
    account.refresh_from_db()
    return account


def _note_grant(account: CreatorAccount, before: str | None, tokens: Tokens, *, at: datetime, by: Any) -> None:
    what = ConsentAct.GRANTED if before is None else ConsentAct.RENEWED
    why = "" if before in (None, tokens.external_id) else ConsentReason.OTHER_ACCOUNT
    ConsentEvent.objects.create(account=account, what=what, why=why, at=at, by=by)


def store_tokens(authorisation: Authorisation, tokens: Tokens) -> bool:
    """Replace the tokens after a rotation, unless they were rotated, or consented to anew, since they were read.

    Frees the claim.
    """
    same = Authorisation.objects.filter(pk=authorisation.pk, granted_at=authorisation.granted_at)
    sealed = sealed_for(
        Authorisation, authorisation.pk, access_token=tokens.access_token, refresh_token=tokens.refresh_token
    )
    changed = same.filter(rotation=authorisation.rotation).update(
        **sealed,
        access_expires_at=tokens.access_expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
        rotation=authorisation.rotation + 1,
        claimed_until=None,
    )
    return bool(changed)


@transaction.atomic
def withdraw_consent(account: CreatorAccount, *, by: Any, at: datetime | None = None) -> CreatorAccount:
    """Stop reading the account and forget its tokens. Readings made so far stay, and a trace without tokens."""
    at = at or timezone.now()
    consented = CreatorAccount.objects.filter(pk=account.pk, state__in=CONSENTED)
    if not consented.update(state=AccountState.WITHDRAWN):
        raise RuleBroken(_("This account is not connected; there is no consent to withdraw."))
    Authorisation.objects.filter(account=account).delete()
    ConsentEvent.objects.create(account=account, what=ConsentAct.WITHDRAWN, at=at, by=by)
    close_reminders([account.pk], ReminderEnd.WITHDRAWN, at=at)
    account.refresh_from_db()
    return account


@transaction.atomic
def lose_consents(codes: Mapping[int, str], consents: Mapping[int, datetime], *, at: datetime) -> int:
    """Connected accounts whose tokens a platform does not take any more, with its code: they need consent again.

    ``consents``: when the consent was given whose tokens those were. Who consented anew since loses nothing.
    """
    linked = CreatorAccount.objects.linked().filter(pk__in=codes).order_by("pk").select_for_update()
    locked = list(linked.values_list("pk", flat=True))
    lost = sorted(same_consents(locked, consents))
    CreatorAccount.objects.filter(pk__in=lost).update(state=AccountState.NEEDS_CONSENT)
    ConsentEvent.objects.bulk_create(
        ConsentEvent(account_id=pk, what=ConsentAct.LOST, why=REASONS.get(codes[pk], ConsentReason.KEY), at=at)
        for pk in lost
    )
    close_reminders(lost, ReminderEnd.LOST, at=at)
    return len(lost)


def same_consents(accounts: Collection[int], consents: Mapping[int, datetime]) -> set[int]:
    """Those of the accounts whose consent is the one that was given at that instant."""
    given = Authorisation.objects.filter(pk__in=accounts).values_list("pk", "granted_at")
    return {pk for pk, granted_at in given if consents.get(pk) == granted_at}


def close_reminders(accounts: Collection[int], outcome: ReminderEnd, *, at: datetime) -> None:
    """The consent these accounts were reminded of is not the one they have any more."""
    ConsentReminder.objects.open().filter(account_id__in=accounts).update(closed_at=at, outcome=outcome)

"""A creator's consent: the way to the platform and back, the tokens it yields, its withdrawal."""

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.metrics.choices import AccountState
from incubator.metrics.clients.base import PlatformError, Tokens
from incubator.metrics.models import Authorisation, ConsentRequest, CreatorAccount
from incubator.metrics.platforms import callback_url, client_for

CONSENT_MINUTES = 10


def begin_consent(account: CreatorAccount, *, by: Any, at: datetime, mobile: bool = False) -> str:
    """The address of the platform's consent page for this account; the answer must come back to the same person."""
    state = secrets.token_urlsafe(24)
    ConsentRequest.objects.create(state=state, account=account, asked_by=by, asked_at=at)
    return client_for(account.platform).authorize_url(state, redirect_uri=callback_url(), mobile=mobile)


def complete_consent(*, state: str, code: str, by: Any, at: datetime) -> CreatorAccount:
    """Take the code that came back, exchange it for tokens and store them. The state counts once, for its asker."""
    account = _use_request(state, by=by, at=at)
    if not code:
        raise RuleBroken(_("You did not agree on the platform's page. You can try again whenever you like."))
    try:
        tokens = asyncio.run(_exchange(account.platform, code, at))
    except PlatformError:
        raise RuleBroken(_("The platform did not confirm the consent. Please try again.")) from None
    return grant_consent(account, tokens, at=at)


def _use_request(state: str, *, by: Any, at: datetime) -> CreatorAccount:
    requests = ConsentRequest.objects.filter(
        state=state, asked_by=by, used_at=None, asked_at__gt=at - timedelta(minutes=CONSENT_MINUTES)
    )
    if not state or not requests.update(used_at=at):
        raise RuleBroken(_("This way back from the platform has expired. Start again with “connect account”."))
    return ConsentRequest.objects.select_related("account").get(state=state).account


async def _exchange(platform: str, code: str, at: datetime) -> Tokens:
    async with client_for(platform) as client:
        return await client.exchange(code, at=at)


def grant_consent(account: CreatorAccount, tokens: Tokens, *, at: datetime) -> CreatorAccount:
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
    try:
        with transaction.atomic():
            Authorisation.objects.update_or_create(account=account, defaults=values)
            CreatorAccount.objects.filter(pk=account.pk).update(state=AccountState.LINKED)
    except IntegrityError:
        raise RuleBroken(
            _("The account you chose on the platform is connected to another trainee. Log in there with your own.")
        ) from None
    account.refresh_from_db()
    return account


def store_tokens(authorisation: Authorisation, tokens: Tokens) -> bool:
    """Replace the tokens after a rotation, unless they were rotated, or consented to anew, since they were read.

    Frees the claim.
    """
    same = Authorisation.objects.filter(pk=authorisation.pk, granted_at=authorisation.granted_at)
    changed = same.filter(rotation=authorisation.rotation).update(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        access_expires_at=tokens.access_expires_at,
        refresh_expires_at=tokens.refresh_expires_at,
        rotation=authorisation.rotation + 1,
        claimed_until=None,
    )
    return bool(changed)


@transaction.atomic
def withdraw_consent(account: CreatorAccount, *, by: Any) -> CreatorAccount:
    """Stop reading the account and forget its tokens. Readings made so far stay."""
    Authorisation.objects.filter(account=account).delete()
    CreatorAccount.objects.filter(pk=account.pk).update(state=AccountState.UNLINKED)
    account.refresh_from_db()
    return account

"""Signing keys: made, rotated, distrusted. The row of the key that signs is the lock of all issuing."""

from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.credentials import multibase
from incubator.credentials.choices import KeyState
from incubator.credentials.models import SigningKey


def signing_key() -> SigningKey:
    """The key that signs now; the first is made when none is there. Two processes that find none get the same."""
    active = SigningKey.objects.filter(state=KeyState.ACTIVE).first()
    if active is not None:
        return active
    try:
        with transaction.atomic():
            return _make_key(by=None, at=timezone.now())
    except IntegrityError:
        return SigningKey.objects.get(state=KeyState.ACTIVE)


def lock_signing_key() -> SigningKey:
    """The same, locked until the transaction ends: who issues waits for who issues, and rotation for both."""
    while True:
        key = signing_key()
        locked = SigningKey.objects.select_for_update().filter(pk=key.pk, state=KeyState.ACTIVE).first()
        if locked is not None:
            return locked


@transaction.atomic
def rotate_signing_key(*, by: Any, reason: str, key: SigningKey | None = None) -> SigningKey:
    """A new key signs from now on. What the old one signed stays valid; its secret half is destroyed.

    ``key``: the one that is thought to sign; ``Stale`` when it does no more.
    """
    reason = _required(reason)
    active = lock_signing_key()
    if key is not None and key.pk != active.pk:
        raise Stale(_("This key does not sign any more. Look at the list again."))
    _end(active, KeyState.RETIRED, by=by, reason=reason, at=timezone.now())
    return _make_key(by=by, at=timezone.now())


@transaction.atomic
def distrust_signing_key(key: SigningKey, *, by: Any, reason: str) -> SigningKey:
    """Somebody else may have the secret half: whatever the key signed is valid no more, from this moment.

    Where it was signing, a new key does. The awards keep their worth; new credentials for them are issued in the
    background, and whoever has an old file takes a new one.
    """
    from incubator.credentials.tasks import issue_missing

    reason = _required(reason)
    lock_signing_key()
    held = SigningKey.objects.select_for_update().get(pk=key.pk)
    if held.state == KeyState.COMPROMISED:
        raise Stale(_("This key is not trusted any more already."))
    was_active = held.state == KeyState.ACTIVE
    _end(held, KeyState.COMPROMISED, by=by, reason=reason, at=timezone.now())
    if was_active:
        _make_key(by=by, at=timezone.now())
    issue_missing.delay_on_commit()
    key.refresh_from_db()
    return key


def _required(reason: str) -> str:
    if not reason.strip():
        raise RuleBroken(_("Say why; it is kept with the key."))
    return reason.strip()


def _make_key(*, by: Any, at: datetime) -> SigningKey:
    private = Ed25519PrivateKey.generate()
    return SigningKey.objects.create(
        public_key=multibase.public_key_text(private.public_key().public_bytes_raw()),
        secret=private.private_bytes_raw().hex(),
        active_from=at,
        made_by=by,
    )


def _end(key: SigningKey, state: KeyState, *, by: Any, reason: str, at: datetime) -> None:
    SigningKey.objects.filter(pk=key.pk).update(
        state=state,
        secret=None,
        retired_at=key.retired_at or at,
        distrusted_at=at if state == KeyState.COMPROMISED else None,
        ended_by=by,
        reason=reason,
    )

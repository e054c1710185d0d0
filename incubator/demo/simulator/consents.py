"""The consents of one simulated platform: codes, tokens, and how long each lives."""

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Lives:
    """Seconds that a code, an access token and a refresh token are good for."""

    code: int
    access: int
    refresh: int


LIVES = {"kuaishou": Lives(120, 172_800, 15_552_000), "douyin": Lives(600, 1_296_000, 2_592_000)}


@dataclass
class Consent:
    """One creator's consent: the tokens that are good, and until when (seconds since 1970)."""

    handle: str
    open_id: str
    refresh_token: str
    refresh_until: float
    access: dict[str, float] = field(default_factory=dict)
    discarded: list[str] = field(default_factory=list)
    platform: str = "kuaishou"
    renewals: int = 0


class Consents:
    """All consents of a platform. ``now`` is its clock; ``note`` writes a consent to the journal."""

    def __init__(self, platform: str, now: Callable[[], float], note: Callable[[str, Any], None]) -> None:
        self.lives = LIVES[platform]
        self.by_handle: dict[str, Consent] = {}
        self.by_access: dict[str, Consent] = {}
        self.by_refresh: dict[str, Consent] = {}
        self._codes: dict[str, tuple[str, float]] = {}
        self._platform = platform
        self._now = now
        self._note = note

    def issue_code(self, handle: str) -> str:
        code = secrets.token_urlsafe(18)
        self._codes[code] = (handle, self._now() + self.lives.code)
        return code

    def take_code(self, code: str) -> str | None:
        """The creator behind a code; a code counts once, and not for long."""
        handle, until = self._codes.pop(code, ("", 0.0))
        return handle if handle and until > self._now() else None

    def give(self, handle: str) -> Consent:
        """A fresh consent of the creator, with its first tokens. The open id stays the same for the same creator."""
        old = self.by_handle.get(handle)
        consent = Consent(
            handle,
            old.open_id if old else secrets.token_hex(16),
            refresh_token=secrets.token_urlsafe(32),
            refresh_until=self._now() + self.lives.refresh,
            platform=self._platform,
        )
        self.add_access(consent)
        return consent

    def add_access(self, consent: Consent) -> None:
        """One more access token; those before it stay good until their time is over."""
        consent.access = {token: until for token, until in consent.access.items() if until > self._now()}
        consent.access[secrets.token_urlsafe(32)] = self._now() + self.lives.access
        self._keep(consent)

    def replace_refresh(self, consent: Consent, *, until: float | None = None) -> None:
        """A new refresh token; the one before is discarded, and its expiry inherited unless told otherwise."""
        consent.discarded = [*consent.discarded[-3:], consent.refresh_token]
        consent.refresh_token = secrets.token_urlsafe(32)
        consent.refresh_until = consent.refresh_until if until is None else until
        self._keep(consent)

    def revoke(self, handle: str) -> None:
        consent = self.by_handle.get(handle)
        if consent is not None:
            consent.access, consent.refresh_until = {}, 0.0
            self._keep(consent)

    def remember(self, consent: Consent) -> None:
        """Know the consent by its creator and by each of its tokens."""
        self.by_handle[consent.handle] = consent
        for token in consent.access:
            self.by_access[token] = consent
        for token in [*consent.discarded, consent.refresh_token]:
            self.by_refresh[token] = consent

    def _keep(self, consent: Consent) -> None:
        self.remember(consent)
        self._note("consent", asdict(consent))

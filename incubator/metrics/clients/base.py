"""The shape of a platform adapter: tokens, readings, and the classes every failure falls in."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol, Self


@dataclass(frozen=True, slots=True)
class Tokens:
    """A creator's consent in the platform's terms; expiry as absolute instants. ``repr`` hides the tokens."""

    external_id: str | None
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime
    refresh_expires_at: datetime
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """Followers of one account on one day, an exact count."""

    day: date
    followers: int
    following: int | None = None
    works: int | None = None


class PlatformError(Exception):
    """Something the platform (or the way to it) refused. ``detail`` never holds a URL, token or secret."""

    def __init__(self, code: object = "", detail: str = "") -> None:
        self.code = str(code)
        self.detail = detail
        super().__init__(f"{self.code} {detail}".strip())


class Transient(PlatformError):
    """Try again with back-off: server error, time-out, broken connection."""


class RateLimited(PlatformError):
    """Too many calls a second; ``retry_after`` in seconds when the platform says so."""

    def __init__(self, code: object = "", detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class QuotaSpent(PlatformError):
    """The day's calls are used up: stop until the next day."""


class RefreshNeeded(PlatformError):
    """The access token is not accepted: one refresh and one retry."""


class Reauthorise(PlatformError):
    """The creator has to consent again."""


class Misconfigured(PlatformError):
    """Our application's settings are refused: stop the whole run."""


class Gone(PlatformError):
    """The account is not found any more."""


class BadAnswer(PlatformError):
    """An answer without a usable figure: missing or null followers, negative, not JSON, too large. Never a reading."""


class PlatformClient(Protocol):
    """What every adapter can do. Used as ``async with``."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def authorize_url(self, state: str, *, redirect_uri: str, mobile: bool = False) -> str: ...

    async def exchange(self, code: str, *, at: datetime) -> Tokens: ...

    async def refresh(self, tokens: Tokens, *, at: datetime) -> Tokens: ...

    async def fetch(self, tokens: Tokens) -> list[Reading]: ...

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
    """Something the platform (or the way to it) refused. ``detail`` never holds a URL, token or secret.

    ``retry_after`` is how many seconds the platform asks to be left alone, where it says so.
    """

    def __init__(self, code: object = "", detail: str = "", *, retry_after: float | None = None) -> None:
        self.code = str(code)
        self.detail = detail
        self.retry_after = retry_after
        super().__init__(f"{self.code} {detail}".strip())


class Transient(PlatformError):
    """Try again with back-off: server error, time-out, broken connection."""


class RateLimited(PlatformError):
    """Too many calls a second: wait ``retry_after``, or back off."""


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


class UnusableFigure(BadAnswer):
    """A sound answer whose count is missing, null, no number, negative or absurd; ``told`` is what stood in its place.

    The code says which: ``missing``, ``no_number``, ``negative``, ``absurd``.
    """

    def __init__(self, code: str, detail: str = "", *, told: str = "") -> None:
        super().__init__(code, detail)
        self.told = told


class GivenUp(PlatformError):
    """Only ever told to a gate: the call was abandoned on our side before it was answered. Says nothing of theirs."""


class Gate(Protocol):
    """What every single call to a platform passes, token calls included: rate, budget, circuit breaker.

    ``enter`` waits for leave to call, or raises a ``PlatformError`` instead of letting the call happen. A call that
    entered leaves exactly once, with None when the platform answered or with what went wrong.
    """

    async def enter(self) -> None: ...

    async def leave(self, outcome: PlatformError | None) -> None: ...


class OpenGate:
    """Lets everything pass."""

    async def enter(self) -> None:
        return

    async def leave(self, outcome: PlatformError | None) -> None:
        return


class PlatformClient(Protocol):
    """What every adapter can do. Used as ``async with``. Every failure is a ``PlatformError``.

    ``tells_history``: whether ``fetch`` gives a series of days, or only the present.
    """

    tells_history: bool

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def authorize_url(self, state: str, *, redirect_uri: str, mobile: bool = False) -> str:
        """Where the creator's browser goes to consent."""
        ...

    async def exchange(self, code: str, *, at: datetime) -> Tokens:
        """Tokens for the code the browser brought back. ``Reauthorise`` when less was consented to than is needed."""
        ...

    async def refresh(self, tokens: Tokens, *, at: datetime) -> Tokens:
        """New tokens for old ones, which may be worth nothing from then on: store these before using them."""
        ...

    async def fetch(self, tokens: Tokens, *, days: int = 1) -> list[Reading]:
        """Readings in the order of their days, the platform's present day the last one there can be.

        ``days`` is how far back is wanted. A platform that only knows the present gives one reading; one that has
        history may give more than was asked for, when they cost no further call.
        """
        ...

"""The Kuaishou Open Platform: consent, tokens, and the current follower count of one creator at a time.

Facts: vendor pages ``platformDocs`` of open.kuaishou.com (2024). Business errors come as HTTP 200 with ``result`` other
than 1. Secrets travel in the query string, so a URL is never logged and never part of an exception.
"""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp

from incubator.metrics.clients import base

SHANGHAI = ZoneInfo("Asia/Shanghai")
SCOPES = "user_info"
LARGEST_ANSWER = 64 * 1024  # bytes; a follower count needs a few hundred
CONNECTIONS = 100
MOST_FOLLOWERS = 2_000_000_000  # no account has more; beyond it the figure is an error, and the column is an integer

ERRORS: dict[int, type[base.PlatformError]] = {
    100200100: base.Misconfigured,  # missing or malformed parameter: our bug
    100200101: base.Misconfigured,  # application unknown, wrong secret or callback
    100200102: base.RefreshNeeded,  # any token error, or scope lacking
    100200103: base.Misconfigured,
    100200104: base.Misconfigured,
    100200105: base.Reauthorise,  # bad, used or expired code
    100200106: base.Reauthorise,  # scope wrong or consent withdrawn
    100200107: base.Gone,  # invalid open_id
    100200108: base.RefreshNeeded,  # access token expired
    100200109: base.Reauthorise,
    100200110: base.Reauthorise,
    100200111: base.Reauthorise,
    100200113: base.Reauthorise,  # refresh token expired
    100200410: base.RateLimited,
    100200500: base.Transient,
    100100402: base.QuotaSpent,  # banned, or the day's calls of the user or the application are spent
    400000: base.Gone,
}


class Pacer:
    """Lets calls begin at most ``per_second`` times a second within this process; 0 means no limit."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        if not self._gap:
            return
        now = time.monotonic()
        self._next = max(now, self._next + self._gap)
        await asyncio.sleep(self._next - now)


class KuaishouClient:
    """``base.PlatformClient`` for Kuaishou. Use as ``async with``; times in seconds."""

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        *,
        base_url: str = "https://open.kuaishou.com",
        rate_per_second: float = 5.0,
        timeout: float = 10.0,
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._base_url = base_url.rstrip("/")
        self._pacer = Pacer(rate_per_second)
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        self._session = aiohttp.ClientSession(connector=connector, timeout=self._timeout)
        # aiohttp repeats a GET whose connection broke. Here a GET exchanges a single-use token: once is enough.
        self._session._retry_connection = False
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    def authorize_url(self, state: str, *, redirect_uri: str, mobile: bool = False) -> str:
        """Where the creator's browser goes to consent."""
        query = {
            "app_id": self._app_id,
            "scope": SCOPES,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": state,
            "ua": "h5" if mobile else "pc",
        }
        return f"{self._base_url}/oauth2/authorize?{urlencode(query)}"

    async def exchange(self, code: str, *, at: datetime) -> base.Tokens:
        """Tokens for a code (single use, two minutes)."""
        answer, _now = await self._get(
            "/oauth2/access_token", app_secret=self._app_secret, code=code, grant_type="authorization_code"
        )
        external_id = answer.get("open_id")
        if not external_id:
            raise base.BadAnswer(detail="no open_id")
        return _tokens(answer, str(external_id), at)

    async def refresh(self, tokens: base.Tokens, *, at: datetime) -> base.Tokens:
        """New tokens for the single-use refresh token. The new one inherits the old one's expiry.

        A refused refresh token means the creator has to consent again, whichever code the refusal carries.
        """
        try:
            answer, _now = await self._get(
                "/oauth2/refresh_token",
                app_secret=self._app_secret,
                refresh_token=tokens.refresh_token,
                grant_type="refresh_token",
            )
        except base.RefreshNeeded as refusal:
            raise base.Reauthorise(refusal.code, refusal.detail) from None
        fresh = _tokens(answer, tokens.external_id, at)
        return base.Tokens(
            external_id=fresh.external_id,
            access_token=fresh.access_token,
            refresh_token=fresh.refresh_token,
            access_expires_at=fresh.access_expires_at,
            refresh_expires_at=min(fresh.refresh_expires_at, tokens.refresh_expires_at),
            scopes=fresh.scopes or tokens.scopes,
        )

    async def fetch(self, tokens: base.Tokens) -> list[base.Reading]:
        """One reading, of the platform's present day. A missing or null ``fan`` is no reading, and never 0."""
        answer, now = await self._get("/openapi/user_info", access_token=tokens.access_token)
        info = answer.get("user_info")
        if not isinstance(info, dict):
            raise base.BadAnswer(detail="no user_info")
        followers = _count(info.get("fan"))
        if followers is None:
            raise base.BadAnswer(detail="no usable fan")
        return [base.Reading(now.astimezone(SHANGHAI).date(), followers, _count(info.get("follow")))]

    async def _get(self, path: str, **query: str) -> tuple[dict[str, Any], datetime]:
        """The answer's object and the platform's own clock; raises a ``PlatformError``, which never holds the URL."""
        await self._pacer.wait()
        if self._session is None:
            raise RuntimeError("use the client as: async with client")
        try:
            async with self._session.get(
                self._base_url + path, params={"app_id": self._app_id, **query}, allow_redirects=False
            ) as response:
                body = await _read(response)
                return _answer(response, body), _clock(response)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as fault:
            raise base.Transient(detail=type(fault).__name__) from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """The whole body, up to ``LARGEST_ANSWER``."""
    body = b""
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > LARGEST_ANSWER:
            response.close()
            raise base.BadAnswer(detail="answer too large")
    return body


def _answer(response: aiohttp.ClientResponse, body: bytes) -> dict[str, Any]:
    if response.status == 429:
        raise base.RateLimited(429, retry_after=_retry_after(response))
    if response.status >= 500:
        raise base.Transient(response.status)
    if response.status != 200:
        raise base.BadAnswer(response.status)
    try:
        answer = json.loads(body)
    except ValueError:
        raise base.BadAnswer(detail="not JSON") from None
    if not isinstance(answer, dict):
        raise base.BadAnswer(detail="not an object")
    if answer.get("result") != 1:
        _refuse(answer.get("result"))
    return answer


def _refuse(result: Any) -> None:
    known = ERRORS.get(result) if isinstance(result, int) else None
    raise (known or base.BadAnswer)(result if isinstance(result, int) else "")


def _retry_after(response: aiohttp.ClientResponse) -> float | None:
    """Seconds from a ``Retry-After`` header given as seconds or as a date."""
    value = response.headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _clock(response: aiohttp.ClientResponse) -> datetime:
    """The platform's clock when it answered; ours where it sends none."""
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, TypeError, ValueError):
        return datetime.now(UTC)


def _count(value: Any) -> int | None:
    """A usable count, or None: missing, null, a text, negative or absurd ones are not."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_FOLLOWERS:
        return None
    return value


def _tokens(answer: dict[str, Any], external_id: str | None, at: datetime) -> base.Tokens:
    try:
        return base.Tokens(
            external_id=external_id,
            access_token=str(answer["access_token"]),
            refresh_token=str(answer["refresh_token"]),
            access_expires_at=at + timedelta(seconds=int(answer["expires_in"])),
            refresh_expires_at=at + timedelta(seconds=int(answer["refresh_token_expires_in"])),
            scopes=tuple(answer.get("scopes") or ()),
        )
    except (KeyError, TypeError, ValueError):
        raise base.BadAnswer(detail="incomplete tokens") from None

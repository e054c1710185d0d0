"""What the adapters share: one session with limits on size, time and redirects, and answers turned into plain values.

A URL can hold a secret or a token. So it is never logged, and an error is raised anew and outside of the handler: what
the HTTP library raised names the URL, and would travel along as the new error's context.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
from yarl import URL

from incubator.metrics.clients import base

SHANGHAI = ZoneInfo("Asia/Shanghai")
LARGEST_ANSWER = 64 * 1024  # bytes; a follower count needs a few hundred
LONGEST_TOKEN = 1024
CONNECTIONS = 100
LONGEST_PAUSE = 86_400.0  # seconds; a platform that asks for more has made a mistake
MOST_FOLLOWERS = 2_000_000_000  # no account has more; beyond it the figure is an error, and the column is an integer
MOST_TOLD = 30  # characters kept of what stood where a count should
PLAIN = {"Accept": "application/json", "Accept-Encoding": "identity"}


class Answer(NamedTuple):
    """The object a platform answered with, and the day it was there."""

    body: dict[str, Any]
    day: date


class ApiSession:
    """Calls to one platform. ``judge`` raises the ``PlatformError`` an answer's business code stands for.

    ``timeout`` in seconds, for a whole call. Redirects are not followed, a broken call is not repeated, no cookie is
    kept (creators share the session), and bodies are not decompressed: a small one could become a huge one.
    """

    def __init__(
        self,
        base_url: str,
        judge: Callable[[dict[str, Any]], None],
        *,
        gate: base.Gate | None = None,
        timeout: float = 10.0,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._judge = judge
        self._gate = gate or base.OpenGate()
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers=PLAIN,
        )
        # aiohttp repeats a GET whose connection broke. Here a GET exchanges a single-use token: once is enough.
        self._session._retry_connection = False

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        self._session = None

    async def get(self, target: str, headers: Mapping[str, str] | None = None) -> Answer:
        """``target``: path and query, encoded already."""
        return await self._pass_gate("GET", target, headers=headers)

    async def post(self, path: str, form: Mapping[str, str]) -> Answer:
        return await self._pass_gate("POST", path, data=form)

    async def _pass_gate(self, method: str, target: str, **more: Any) -> Answer:
        outcome: base.PlatformError | None = GIVEN_UP
        await self._gate.enter()
        try:
            answer = await self._call(method, target, **more)
            outcome = None
        except base.PlatformError as error:
            outcome = error
            raise
        finally:
            await self._gate.leave(outcome)
        return answer

    async def _call(self, method: str, target: str, **more: Any) -> Answer:
        if self._session is None:
            raise RuntimeError("use the client as: async with client")
        url = URL(self.base_url + target, encoded=True)
        try:
            async with self._session.request(method, url, allow_redirects=False, **more) as response:
                return self._understood(response, await _body(response))
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            what = type(fault).__name__
        raise base.Transient(detail=what)

    def _understood(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        answer = _json_object(body)
        self._judge(answer)
        return Answer(answer, platform_day(response.headers.get("Date", "")))


GIVEN_UP = base.GivenUp()


class SessionClient:
    """The part of a ``base.PlatformClient`` that is the same everywhere: it opens and closes its ``ApiSession``."""

    _api: ApiSession

    async def __aenter__(self) -> Self:
        await self._api.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._api.close()


def query_of(values: Mapping[str, str]) -> str:
    """``?a=b&c=d``, encoded."""
    return "?" + urlencode(values)


# --- Answers ---------------------------------------------------------------------------------------------------------


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole body of a good answer, up to ``LARGEST_ANSWER``; other answers are refused unread."""
    if response.status != 200:
        _refuse_status(response)
    length = response.content_length
    if length is not None and length <= LARGEST_ANSWER:
        return await response.read()  # the parser takes no more than the length that was declared
    body = b""
    while length is None and len(body) <= LARGEST_ANSWER:
        chunk = await response.content.readany()
        if not chunk:
            return body
        body += chunk
    response.close()
    raise base.BadAnswer("too_large")


def _refuse_status(response: aiohttp.ClientResponse) -> NoReturn:
    status = response.status
    if status == 429:
        raise base.RateLimited(status, retry_after=retry_after(response.headers))
    if status >= 500:
        raise base.Transient(status, retry_after=retry_after(response.headers))
    raise base.BadAnswer(status)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise base.BadAnswer("not_json")
    return answer


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from a ``Retry-After`` header given as seconds or as a date, which is one of the platform's clock."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), LONGEST_PAUSE)
    until = _instant(value)
    if until is None:
        return None
    now = _instant(headers.get("Date", "")) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), LONGEST_PAUSE)


def _instant(value: str) -> datetime | None:
    """An HTTP date. One without a zone is UTC."""
    try:
        found = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@lru_cache(maxsize=16)
def _day_told(header: str) -> date | None:
    """Thousands of answers a second carry the same ``Date``."""
    told = _instant(header)
    return told.astimezone(SHANGHAI).date() if told else None


def platform_day(header: str) -> date:
    """The day in China when the platform answered, by its ``Date`` header; by our clock where it sends none."""
    return _day_told(header) or datetime.now(SHANGHAI).date()


# --- Values ----------------------------------------------------------------------------------------------------------


def whole_number(value: object) -> int | None:
    """A whole number, also one written as a text; else None. True is not a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) < 20 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def follower_count(values: Mapping[str, Any], name: str) -> int:
    """The usable count under ``name``. Else ``UnusableFigure``, which says why: a missing or null count is never 0."""
    number = whole_number(values.get(name))
    if number is not None and 0 <= number <= MOST_FOLLOWERS:
        return number
    told = _told(values, name)
    if number is not None:
        raise base.UnusableFigure("negative" if number < 0 else "absurd", name, told=told)
    raise base.UnusableFigure("no_number" if values.get(name) is not None else "missing", name, told=told)


def _told(values: Mapping[str, Any], name: str) -> str:
    """What stands under ``name``, as the platform wrote it and cut short: nothing, ``null``, ``-5``, ``"1.2万"``."""
    if name not in values:
        return ""
    text = json.dumps(values[name], ensure_ascii=False)
    return "".join(c for c in text[:MOST_TOLD] if c.isprintable())


def optional_count(values: Mapping[str, Any], name: str) -> int | None:
    """The count under ``name`` where there is a usable one: a side figure never spoils a reading."""
    try:
        return follower_count(values, name)
    except base.BadAnswer:
        return None


def tokens_of(
    answer: Mapping[str, Any], at: datetime, *, external_id: str | None, refresh_seconds: str, scopes: object
) -> base.Tokens:
    """Tokens from an answer of the usual OAuth names. ``refresh_seconds`` is the name of the refresh token's life.

    ``scopes`` is a list, or a text of words with commas between.
    """
    words = scopes.split(",") if isinstance(scopes, str) else scopes if isinstance(scopes, list) else []
    return base.Tokens(
        external_id=external_id,
        access_token=token(answer, "access_token"),
        refresh_token=token(answer, "refresh_token"),
        access_expires_at=at + life(answer, "expires_in"),
        refresh_expires_at=at + life(answer, refresh_seconds),
        scopes=tuple(str(word).strip() for word in words if str(word).strip()),
    )


def token(answer: Mapping[str, Any], name: str) -> str:
    """The token under ``name``: one line of plain characters, as it has to fit a header."""
    value = answer.get(name)
    if isinstance(value, str) and 0 < len(value) <= LONGEST_TOKEN and value.isascii() and value.isprintable():
        return value
    raise base.BadAnswer("no_token", name)


def life(answer: Mapping[str, Any], name: str) -> timedelta:
    """The seconds under ``name``, of some years at most."""
    seconds = whole_number(answer.get(name))
    if seconds is None or not 0 <= seconds <= 10 * 366 * 86_400:
        raise base.BadAnswer("no_expiry", name)
    return timedelta(seconds=seconds)


def need_scope(tokens: base.Tokens, scope: str) -> base.Tokens:
    """The tokens, if they are good for what we read. A platform that names no scopes granted what was asked."""
    if tokens.scopes and scope not in tokens.scopes:
        raise base.Reauthorise("scope", scope)
    return tokens


def inherited(fresh: base.Tokens, old: base.Tokens) -> base.Tokens:
    """``fresh`` after ``old``: the same creator and consent, which a refresh never prolongs."""
    return dataclasses.replace(
        fresh,
        external_id=old.external_id,
        refresh_expires_at=min(fresh.refresh_expires_at, old.refresh_expires_at),
        scopes=fresh.scopes or old.scopes,
    )

"""What can go wrong on the simulated platforms, switched on by path, for everybody or one creator."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from incubator.demo.simulator.state import Fault, State

STATE = web.AppKey("state", State)
HUGE = 1024**3
PIECE = b" " * 65_536
SLOW_SECONDS = 5
TRAP = "/_simulator/trap"  # an address on a private network, which nobody is to follow a redirect to
MISSING = object()
FIGURES: dict[str, Any] = {"missing_fan": MISSING, "null_fan": None, "negative_fan": -5, "absurd_fan": 10**12}


class Dropped(Exception):
    """The connection is closed without an answer."""


@dataclass(frozen=True)
class Dialect:
    """How a platform says things: its refusals, and where in its answer the newest follower figure stands."""

    refuse: Callable[[int, str], web.Response]
    wrong_secret: int
    with_figure: Callable[[dict[str, Any], Any], dict[str, Any]]


def say(body: dict[str, Any]) -> web.Response:
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


async def answer(request: web.Request, dialect: Dialect, handle: str, body: dict[str, Any]) -> web.StreamResponse:
    """The answer, or the fault that is switched on for it."""
    fault = request.app[STATE].fault_for(request.path, handle)
    return say(body) if fault is None else await fail(request, dialect, fault, body)


async def answer_once_done(
    request: web.Request, dialect: Dialect, handle: str, work: Callable[[], dict[str, Any]]
) -> web.StreamResponse:
    """Do the work that cannot be undone and answer with it. A fault hits before the work, a lost answer after it."""
    fault = request.app[STATE].fault_for(request.path, handle)
    if fault is None:
        return say(work())
    if fault.kind == "lost_answer":
        work()
        raise Dropped
    return await fail(request, dialect, fault, {})


async def fail(request: web.Request, dialect: Dialect, fault: Fault, body: dict[str, Any]) -> web.StreamResponse:
    """The answer as the fault leaves it."""
    if fault.kind in FIGURES:
        return say(dialect.with_figure(body, FIGURES[fault.kind]))
    if fault.kind in ("slow", "huge", "huge_declared"):
        return await _stream(request, fault.kind)
    if fault.kind == "result":
        return dialect.refuse(fault.result, "as switched on")
    if fault.kind == "wrong_secret":
        return dialect.refuse(dialect.wrong_secret, "as switched on")
    if fault.kind == "text_numbers":
        return say(_with_texts(body))
    return _broken(request, fault, json.dumps(body))


def _broken(request: web.Request, fault: Fault, text: str) -> web.Response:
    if fault.kind in ("http_500", "http_429"):
        return web.Response(status=int(fault.kind[-3:]), headers=_retry_after(request, fault), text="not now")
    if fault.kind == "truncated":
        return web.Response(text=text[: len(text) // 2], content_type="application/json")
    if fault.kind == "html":
        return web.Response(text="<html><body>系统繁忙</body></html>", content_type="text/html")
    if fault.kind == "redirect":
        return web.Response(status=302, headers={"Location": f"http://{request.host}{TRAP}"})
    raise Dropped  # drop, lost_answer


def _retry_after(request: web.Request, fault: Fault) -> dict[str, str]:
    """``"7"`` is sent as it is; ``"date:7"`` as the date seven seconds from now by the platform's clock."""
    if not fault.retry_after.startswith("date:"):
        return {"Retry-After": fault.retry_after} if fault.retry_after else {}
    now = datetime.fromtimestamp(request.app[STATE].now(), UTC)
    until = now + timedelta(seconds=float(fault.retry_after.removeprefix("date:")))
    return {"Retry-After": format_datetime(until, usegmt=True)}


def _with_texts(value: Any) -> Any:
    """Every number as a text."""
    if isinstance(value, dict):
        return {name: _with_texts(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_with_texts(inner) for inner in value]
    return str(value) if isinstance(value, int) else value


async def _stream(request: web.Request, kind: str) -> web.StreamResponse:
    """A body that never ends in time (a byte every five seconds), or one of a gigabyte; neither is ever held here."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    if kind == "huge_declared":
        response.content_length = HUGE
    await response.prepare(request)
    if kind == "slow":
        while True:
            await response.write(b" ")
            await asyncio.sleep(SLOW_SECONDS)
    for _piece in range(HUGE // len(PIECE)):
        await response.write(PIECE)
    return response

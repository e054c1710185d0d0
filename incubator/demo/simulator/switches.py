"""The simulator's own interface, under ``/_simulator``: clock, creators, consents, limits, faults, and the recorder."""

import asyncio
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

from aiohttp import web

from incubator.demo.simulator.faults import STATE, TRAP
from incubator.demo.simulator.recorder import most_within
from incubator.demo.simulator.state import Fault


def routes() -> list[web.RouteDef]:
    return [
        web.get("/_simulator/clock", show_clock),
        web.post("/_simulator/clock", set_clock),
        web.post("/_simulator/creators", cast),
        web.post("/_simulator/consents", give_consents),
        web.post("/_simulator/limits", set_limits),
        web.post("/_simulator/faults", add_fault),
        web.delete("/_simulator/faults", clear_faults),
        web.get("/_simulator/calls", show_calls),
        web.get("/_simulator/arrivals", show_arrivals),
        web.delete("/_simulator/arrivals", clear_arrivals),
        web.get(TRAP, fall_into_trap),
    ]


async def show_clock(request: web.Request) -> web.Response:
    now = datetime.fromtimestamp(request.app[STATE].now(), UTC)
    return web.json_response({"now": now.isoformat()})


async def set_clock(request: web.Request) -> web.Response:
    body = await request.json()
    try:
        now = None if body.get("real") else datetime.fromisoformat(body["now"])
    except (KeyError, ValueError) as error:
        raise web.HTTPBadRequest(text=f"clock: {error}") from None
    request.app[STATE].set_clock(now)
    return await show_clock(request)


async def cast(request: web.Request) -> web.Response:
    creators = await request.json()
    try:
        request.app[STATE].cast(creators)
    except (KeyError, TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=f"creators: {error}") from None
    return web.json_response({"creators": len(creators)})


async def give_consents(request: web.Request) -> web.Response:
    """Consents of many creators at once, as if each had come over the page; the tokens of each are the answer."""
    body = await request.json()
    try:
        consents = request.app[STATE].consents[body.get("platform", "kuaishou")]
        given = [consents.give(str(handle)) for handle in body["handles"]]
    except (KeyError, TypeError) as error:
        raise web.HTTPBadRequest(text=f"consents: {error}") from None
    return web.json_response([asdict(consent) for consent in given])


async def set_limits(request: web.Request) -> web.Response:
    """Calls a day of the application on one interface, and for one creator."""
    state, body = request.app[STATE], await request.json()
    state.app_calls_a_day = int(body.get("app_calls_a_day", state.app_calls_a_day))
    state.user_calls_a_day = int(body.get("user_calls_a_day", state.user_calls_a_day))
    told = {"app_calls_a_day": state.app_calls_a_day, "user_calls_a_day": state.user_calls_a_day}
    return web.json_response(told)


async def add_fault(request: web.Request) -> web.Response:
    body: dict[str, Any] = await request.json()
    if body.get("kind") == "revoked":
        request.app[STATE].revoke(body["handle"], body.get("platform", "kuaishou"))
        return web.json_response({"revoked": body["handle"]})
    try:
        fault = Fault(**body)
    except TypeError as error:
        raise web.HTTPBadRequest(text=f"fault: {error}") from None
    request.app[STATE].faults.append(fault)
    return web.json_response(asdict(fault))


async def clear_faults(request: web.Request) -> web.Response:
    request.app[STATE].faults.clear()
    return web.json_response({})


async def show_calls(request: web.Request) -> web.Response:
    """Calls of a simulated day by interface and creator."""
    state = request.app[STATE]
    day = date.fromisoformat(request.query["day"]) if "day" in request.query else state.today()
    return web.json_response(state.calls_of(day))


async def show_arrivals(request: web.Request) -> web.Response:
    """How many calls of ``path`` (all, without) arrived, the most within any second, the first and last instant."""
    instants = request.app[STATE].arrivals.of(request.query.get("path", ""))
    most = await asyncio.to_thread(most_within, instants)
    first, last = (instants[0], instants[-1]) if instants else (None, None)
    return web.json_response({"count": len(instants), "most_in_a_second": most, "first": first, "last": last})


async def clear_arrivals(request: web.Request) -> web.Response:
    request.app[STATE].arrivals.clear()
    return web.json_response({})


async def fall_into_trap(request: web.Request) -> web.Response:
    """Where a redirect leads: nobody should come here, and whoever does is recorded."""
    return web.json_response({"result": 1, "user_info": {"fan": 1}})

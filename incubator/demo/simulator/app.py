"""The simulator as a web application: two platforms, and switches under ``/_simulator``."""

from pathlib import Path

from aiohttp import web

from incubator.demo.simulator import douyin, kuaishou, switches
from incubator.demo.simulator.authorize import APPS, HOSTS, App
from incubator.demo.simulator.faults import STATE, TRAP, Dropped
from incubator.demo.simulator.state import State


def create_app(
    folder: Path, *, kuaishou_app: App, douyin_app: App, callback_hosts: set[str] | None = None
) -> web.Application:
    """``callback_hosts`` (``host:port``) are registered for the way back; None means any port of this machine."""
    app = web.Application(middlewares=[record_and_keep_time])
    app[STATE] = State(folder)
    app.on_cleanup.append(forget)
    app[APPS] = {"kuaishou": kuaishou_app, "douyin": douyin_app}
    app[HOSTS] = callback_hosts or set()
    app.add_routes([*kuaishou.routes(), *douyin.routes(), *switches.routes()])
    return app


async def forget(app: web.Application) -> None:
    """Close the journal when the server ends."""
    app[STATE].close()


@web.middleware
async def record_and_keep_time(request: web.Request, handler) -> web.StreamResponse:  # type: ignore[no-untyped-def]
    """First of all a call of a platform is recorded; every answer carries the simulated clock in its Date header."""
    state, path = request.app[STATE], request.path
    if (not path.startswith("/_simulator/") or path == TRAP) and request.match_info.http_exception is None:
        state.arrivals.note(path)
    try:
        response: web.StreamResponse = await handler(request)
    except Dropped:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    if not response.prepared:
        response.headers["Date"] = state.http_date()
    return response

"""The HTTP face of the simulated platform: consent, tokens, follower counts, and switches under ``/_simulator``."""

import asyncio
import html
import json
from dataclasses import asdict
from datetime import UTC, date, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from incubator.demo.simulator.pages import consent_page, refusal_page
from incubator.demo.simulator.state import ACCESS_SECONDS, Consent, Fault, State

MISSING, WRONG_APP, DENIED = 100200100, 100200101, 100200102
BAD_GRANT_TYPE, BAD_CODE = 100200104, 100200105
ACCESS_EXPIRED, REVOKED, REFRESH_EXPIRED, OVER_LIMIT = 100200108, 100200109, 100200113, 100100402
STATE = web.AppKey("state", State)
APP = web.AppKey("app", dict)
HUGE = 32 * 1024 * 1024


class Dropped(Exception):
    """The connection is closed without an answer."""


def create_app(
    folder: Path, *, app_id: str, app_secret: str, callback_hosts: set[str] | None = None
) -> web.Application:
    """``callback_hosts`` (``host:port``) are registered for the way back; None means any port of this machine."""
    app = web.Application(middlewares=[keep_time])
    app[STATE] = State(folder)
    app.on_cleanup.append(forget)
    app[APP] = {"id": app_id, "secret": app_secret, "hosts": callback_hosts}
    app.add_routes(
        [
            web.get("/oauth2/authorize", show_consent),
            web.post("/oauth2/authorize", decide_consent),
            web.get("/oauth2/access_token", access_token),
            web.get("/oauth2/refresh_token", refresh_token),
            web.get("/openapi/user_info", user_info),
            web.get("/openapi/photo/count", photo_count),
            web.get("/_simulator/clock", show_clock),
            web.post("/_simulator/clock", set_clock),
            web.post("/_simulator/creators", cast),
            web.post("/_simulator/faults", add_fault),
            web.delete("/_simulator/faults", clear_faults),
            web.get("/_simulator/calls", show_calls),
        ]
    )
    return app


async def forget(app: web.Application) -> None:
    """Close the journal when the server ends."""
    app[STATE].close()


@web.middleware
async def keep_time(request: web.Request, handler) -> web.StreamResponse:  # type: ignore[no-untyped-def]
    """Every answer carries the simulated clock in its Date header."""
    try:
        response: web.StreamResponse = await handler(request)
    except Dropped:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    if not response.prepared:
        now = datetime.fromtimestamp(request.app[STATE].now(), UTC)
        response.headers["Date"] = format_datetime(now, usegmt=True)
    return response


def refuse(result: int, error: str) -> web.Response:
    """A business error: HTTP 200 with a result other than 1."""
    return web.json_response({"result": result, "error": error, "error_msg": error})


# --- Consent ---------------------------------------------------------------------------------------------------------


def _wrong_way(request: web.Request) -> str:
    """What is wrong with the application's question, as a sentence; empty when nothing is."""
    query, app = request.query, request.app[APP]
    back = urlsplit(query.get("redirect_uri", ""))
    if query.get("app_id") != app["id"]:
        return "应用不存在，请联系应用的开发者。"
    if query.get("response_type") != "code" or not query.get("scope"):
        return "授权参数不正确，请联系应用的开发者。"
    here = back.hostname in ("127.0.0.1", "localhost", "testserver")
    if back.netloc not in app["hosts"] if app["hosts"] else not here:
        return "回调地址与登记的不一致。"
    return ""


async def show_consent(request: web.Request) -> web.Response:
    wrong = _wrong_way(request)
    if wrong:
        return web.Response(text=refusal_page(wrong), content_type="text/html", status=400)
    return web.Response(
        text=consent_page(html.escape(request.query.get("login_hint", ""), quote=True)), content_type="text/html"
    )


async def decide_consent(request: web.Request) -> web.Response:
    wrong = _wrong_way(request)
    if wrong:
        return web.Response(text=refusal_page(wrong), content_type="text/html", status=400)
    form = await request.post()
    handle = str(form.get("handle", "")).strip()
    if form.get("decision") == "agree" and not handle:
        return web.Response(text=consent_page("", "请先填写快手号。"), content_type="text/html", status=400)
    back = {"state": request.query.get("state", "")}
    if form.get("decision") == "agree":
        back["code"] = request.app[STATE].issue_code(handle)
    joint = "&" if urlsplit(request.query["redirect_uri"]).query else "?"
    raise web.HTTPFound(request.query["redirect_uri"] + joint + urlencode(back))


# --- Tokens ----------------------------------------------------------------------------------------------------------


def _wrong_app(request: web.Request, *needed: str) -> web.Response | None:
    query, app = request.query, request.app[APP]
    if any(not query.get(name) for name in ("app_id", *needed)):
        return refuse(MISSING, "invalid_request")
    if query["app_id"] != app["id"] or ("app_secret" in needed and query["app_secret"] != app["secret"]):
        return refuse(WRONG_APP, "unauthorized_client")
    return None


def _pair(consent: Consent, state: State) -> dict[str, object]:
    return {
        "result": 1,
        "access_token": list(consent.access)[-1],
        "expires_in": ACCESS_SECONDS,
        "refresh_token": consent.refresh_token,
        "refresh_token_expires_in": int(consent.refresh_until - state.now()),
        "scopes": ["user_info"],
    }


async def access_token(request: web.Request) -> web.StreamResponse:
    wrong = _wrong_app(request, "app_secret", "code", "grant_type")
    if wrong is not None:
        return wrong
    if request.query["grant_type"] not in ("authorization_code", "code"):
        return refuse(BAD_GRANT_TYPE, "unsupported_grant_type")
    state = request.app[STATE]
    handle = state.take_code(request.query["code"])
    if handle is None:
        return refuse(BAD_CODE, "invalid_grant")
    state.record("/oauth2/access_token", handle)
    consent = state.consent(handle)
    return await _answer(request, handle, {**_pair(consent, state), "open_id": consent.open_id})


async def refresh_token(request: web.Request) -> web.StreamResponse:
    wrong = _wrong_app(request, "app_secret", "refresh_token", "grant_type")
    if wrong is not None:
        return wrong
    if request.query["grant_type"] != "refresh_token":
        return refuse(BAD_GRANT_TYPE, "unsupported_grant_type")
    state = request.app[STATE]
    consent = state.by_refresh.get(request.query["refresh_token"])
    if consent is None:
        return refuse(DENIED, "access_denied refreshToken.invalid")
    state.record("/oauth2/refresh_token", consent.handle)
    if request.query["refresh_token"] != consent.refresh_token:
        return refuse(DENIED, "access_denied refreshToken.discarded")
    if consent.refresh_until <= state.now():
        return refuse(REFRESH_EXPIRED, "refresh_token expired")
    fault = state.fault_for("/oauth2/refresh_token", consent.handle)
    if fault is not None and fault.kind != "lost_answer":
        return await _fail(request, fault)
    pair = _pair(state.rotate(consent), state)
    if fault is not None:
        raise Dropped
    return web.json_response(pair)


# --- Figures ---------------------------------------------------------------------------------------------------------


async def user_info(request: web.Request) -> web.StreamResponse:
    consent = _reader(request)
    if isinstance(consent, web.Response):
        return consent
    state = request.app[STATE]
    creator = state.creators.get(consent.handle, {})
    info = {
        "name": creator.get("name", consent.handle),
        "sex": creator.get("sex", ""),
        "fan": state.followers(consent.handle),
        "follow": 10 + len(consent.handle),
        "head": "",
        "bigHead": "",
        "city": creator.get("city", ""),
    }
    return await _answer(request, consent.handle, {"result": 1, "user_info": info})


async def photo_count(request: web.Request) -> web.StreamResponse:
    consent = _reader(request)
    if isinstance(consent, web.Response):
        return consent
    count = 20 + request.app[STATE].followers(consent.handle) // 500
    counts = {"public_count": count, "friend_count": 0, "private_count": 0, "all_count": count}
    return await _answer(request, consent.handle, {"result": 1, **counts})


def _reader(request: web.Request) -> Consent | web.Response:
    """Whose token this is, or the refusal."""
    wrong = _wrong_app(request, "access_token")
    if wrong is not None:
        return wrong
    state, token = request.app[STATE], request.query["access_token"]
    consent = state.by_access.get(token)
    if consent is None:
        return refuse(DENIED, "access_denied")
    if not state.record(request.path, consent.handle):
        return refuse(OVER_LIMIT, "calls of the day used up")
    if token not in consent.access:
        return refuse(REVOKED if consent.refresh_until == 0 else ACCESS_EXPIRED, "access_denied")
    if consent.access[token] <= state.now():
        return refuse(ACCESS_EXPIRED, "access_token expired")
    return consent


# --- Faults ----------------------------------------------------------------------------------------------------------


async def _answer(request: web.Request, handle: str, body: dict) -> web.StreamResponse:
    """The answer, or the fault that is switched on for it."""
    fault = request.app[STATE].fault_for(request.path, handle)
    if fault is None:
        return web.json_response(body)
    return await _fail(request, fault, body)


async def _fail(request: web.Request, fault: Fault, body: dict | None = None) -> web.StreamResponse:
    text = json.dumps(body or {"result": 1})
    if fault.kind == "http_500":
        return web.Response(status=500, text="internal error")
    if fault.kind == "http_429":
        return web.Response(status=429, headers={"Retry-After": fault.retry_after} if fault.retry_after else {})
    if fault.kind == "result":
        return refuse(fault.result, "as switched on")
    if fault.kind == "truncated":
        return web.Response(text=text[: len(text) // 2], content_type="application/json")
    if fault.kind == "html":
        return web.Response(text="<html><body>系统繁忙</body></html>", content_type="text/html")
    if fault.kind in ("missing_fan", "null_fan"):
        return web.json_response(_without_fan(body or {}, fault.kind))
    if fault.kind == "redirect":
        raise web.HTTPFound("http://127.0.0.1:9/")
    if fault.kind in ("slow", "huge"):
        return await _drip(request, fault.kind)
    raise Dropped  # drop, lost_answer


def _without_fan(body: dict, kind: str) -> dict:
    info = dict(body.get("user_info", {}))
    info.pop("fan", None)
    return {**body, "user_info": info if kind == "missing_fan" else {**info, "fan": None}}


async def _drip(request: web.Request, kind: str) -> web.StreamResponse:
    """A body that never ends in time (a byte every five seconds), or one that is far too large."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    if kind == "huge":
        for _chunk in range(HUGE // 65536):
            await response.write(b" " * 65536)
        return response
    while True:
        await response.write(b" ")
        await asyncio.sleep(5)


# --- Switches --------------------------------------------------------------------------------------------------------


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


async def add_fault(request: web.Request) -> web.Response:
    body = await request.json()
    if body.get("kind") == "revoked":
        request.app[STATE].revoke(body["handle"])
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
    state = request.app[STATE]
    day = date.fromisoformat(request.query["day"]) if "day" in request.query else state.today()
    found: dict[str, dict[str, int]] = {}
    for (interface, handle), count in state.calls[day].items():
        if handle:
            found.setdefault(interface, {})[handle] = count
    return web.json_response(found)

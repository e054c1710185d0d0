"""The simulated Kuaishou: everything in the query string, business errors in ``result`` with HTTP 200."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from incubator.demo.simulator.authorize import APPS, Door
from incubator.demo.simulator.consents import Consent
from incubator.demo.simulator.faults import MISSING, STATE, Dialect, answer, answer_once_done, say
from incubator.demo.simulator.state import State

NO_PARAMETER, WRONG_APP, DENIED = 100200100, 100200101, 100200102
BAD_GRANT_TYPE, BAD_CODE = 100200104, 100200105
ACCESS_EXPIRED, REVOKED, REFRESH_EXPIRED, OVER_LIMIT = 100200108, 100200109, 100200113, 100100402


def routes() -> list[web.RouteDef]:
    return [
        *Door("kuaishou", "快手", "app_id").routes("/oauth2/authorize"),
        web.get("/oauth2/access_token", access_token),
        web.get("/oauth2/refresh_token", refresh_token),
        web.get("/openapi/user_info", user_info),
        web.get("/openapi/photo/count", photo_count),
    ]


def refuse(result: int, error: str) -> web.Response:
    """A business error: HTTP 200 with a result other than 1."""
    return say({"result": result, "error": error, "error_msg": error})


def with_figure(body: dict[str, Any], figure: Any) -> dict[str, Any]:
    info = {name: value for name, value in body.get("user_info", {}).items() if name != "fan"}
    return {**body, "user_info": info if figure is MISSING else {**info, "fan": figure}}


DIALECT = Dialect(refuse, WRONG_APP, with_figure)


# --- Tokens ----------------------------------------------------------------------------------------------------------


def _wrong_app(request: web.Request, query: Mapping[str, str], *needed: str) -> web.Response | None:
    app = request.app[APPS]["kuaishou"]
    if not query.get("app_id") or any(not query.get(name) for name in needed):
        return refuse(NO_PARAMETER, "invalid_request")
    if query["app_id"] != app.name or ("app_secret" in needed and query["app_secret"] != app.secret):
        return refuse(WRONG_APP, "unauthorized_client")
    return None


def _pair(consent: Consent, state: State) -> dict[str, Any]:
    return {
        "result": 1,
        "access_token": list(consent.access)[-1],
        "expires_in": state.consents["kuaishou"].lives.access,
        "refresh_token": consent.refresh_token,
        "refresh_token_expires_in": int(consent.refresh_until - state.now()),
        "scopes": ["user_info"],
    }


async def access_token(request: web.Request) -> web.StreamResponse:
    query = request.query
    wrong = _wrong_app(request, query, "app_secret", "code", "grant_type")
    if wrong is not None:
        return wrong
    if query["grant_type"] not in ("authorization_code", "code"):
        return refuse(BAD_GRANT_TYPE, "unsupported_grant_type")
    state = request.app[STATE]
    handle = state.consents["kuaishou"].take_code(query["code"])
    if handle is None:
        return refuse(BAD_CODE, "invalid_grant")
    state.record(request.path, handle)
    consent = state.consents["kuaishou"].give(handle)
    return await answer(request, DIALECT, handle, {**_pair(consent, state), "open_id": consent.open_id})


async def refresh_token(request: web.Request) -> web.StreamResponse:
    """A new pair of tokens; the refresh token before is discarded, its expiry is inherited."""
    query = request.query
    wrong = _wrong_app(request, query, "app_secret", "refresh_token", "grant_type")
    if wrong is not None:
        return wrong
    if query["grant_type"] != "refresh_token":
        return refuse(BAD_GRANT_TYPE, "unsupported_grant_type")
    state = request.app[STATE]
    consent = state.consents["kuaishou"].by_refresh.get(query["refresh_token"])
    if consent is None:
        return refuse(DENIED, "access_denied refreshToken.invalid")
    state.record(request.path, consent.handle)
    if query["refresh_token"] != consent.refresh_token:
        return refuse(DENIED, "access_denied refreshToken.discarded")
    if consent.refresh_until <= state.now():
        return refuse(REFRESH_EXPIRED, "refresh_token expired")
    return await answer_once_done(request, DIALECT, consent.handle, lambda: _rotated(consent, state))


def _rotated(consent: Consent, state: State) -> dict[str, Any]:
    state.consents["kuaishou"].replace_refresh(consent)
    state.consents["kuaishou"].add_access(consent)
    return _pair(consent, state)


# --- Figures ---------------------------------------------------------------------------------------------------------


async def user_info(request: web.Request) -> web.StreamResponse:
    consent = _reader(request)
    if isinstance(consent, web.Response):
        return consent
    state, handle = request.app[STATE], consent.handle
    creator = state.creators.get(handle, {})
    info = {
        "name": creator.get("name", handle),
        "sex": creator.get("sex", ""),
        "fan": state.followers(handle),
        "follow": 10 + len(handle),
        "head": "",
        "bigHead": "",
        "city": creator.get("city", ""),
    }
    return await answer(request, DIALECT, handle, {"result": 1, "user_info": info})


async def photo_count(request: web.Request) -> web.StreamResponse:
    consent = _reader(request)
    if isinstance(consent, web.Response):
        return consent
    count = 20 + request.app[STATE].followers(consent.handle) // 500
    counts = {"public_count": count, "friend_count": 0, "private_count": 0, "all_count": count}
    return await answer(request, DIALECT, consent.handle, {"result": 1, **counts})


def _reader(request: web.Request) -> Consent | web.Response:
    """Whose token this is, or the refusal."""
    query, state = request.query, request.app[STATE]
    wrong = _wrong_app(request, query, "access_token")
    if wrong is not None:
        return wrong
    token = query["access_token"]
    consent = state.consents["kuaishou"].by_access.get(token)
    if consent is None:
        return refuse(DENIED, "access_denied")
    if not state.record(request.path, consent.handle):
        return refuse(OVER_LIMIT, "calls of the day used up")
    if consent.access.get(token, 0.0) <= state.now():
        return refuse(REVOKED if consent.refresh_until == 0 else ACCESS_EXPIRED, "access_denied")
    return consent

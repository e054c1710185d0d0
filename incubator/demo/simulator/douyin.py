"""The simulated Douyin: forms and a header, business errors in ``data.error_code`` with HTTP 200, a series of days."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from aiohttp import web

from incubator.demo.simulator.authorize import APPS, Door
from incubator.demo.simulator.consents import Consent
from incubator.demo.simulator.faults import MISSING, STATE, Dialect, answer, answer_once_done, say
from incubator.demo.simulator.state import State

BAD_PARAMETER, BAD_SPAN, WRONG_KEY, WRONG_SECRET = 10002, 2100005, 10003, 10013
BAD_CODE, REFRESH_EXPIRED, ACCESS_EXPIRED, REVOKED = 10007, 10010, 2190008, 2190003
ACCESS_INVALID, OTHER_CREATOR, OVER_LIMIT = 28001003, 2190015, 28003017
SPANS = {"7": 7, "15": 15, "30": 30}
RENEWALS = 5


def routes() -> list[web.RouteDef]:
    return [
        *Door("douyin", "抖音", "client_key").routes("/platform/oauth/connect/"),
        web.post("/oauth/access_token/", access_token),
        web.post("/oauth/refresh_token/", refresh_token),
        web.post("/oauth/renew_refresh_token/", renew_refresh_token),
        web.get("/data/external/user/fans/", fans),
    ]


def _data(values: dict[str, Any]) -> dict[str, Any]:
    return {"data": {**values, "error_code": 0, "description": ""}, "message": "success"}


def refuse(code: int, description: str) -> web.Response:
    return say({"data": {"error_code": code, "description": description}, "message": "error"})


def with_figure(body: dict[str, Any], figure: Any) -> dict[str, Any]:
    """The newest day's figure replaced."""
    data = body.get("data", {})
    *older, newest = data.get("result_list") or [{}]
    spoilt = {name: value for name, value in newest.items() if name != "total_fans"}
    spoilt |= {} if figure is MISSING else {"total_fans": figure}
    return {**body, "data": {**data, "result_list": [*older, spoilt]}}


DIALECT = Dialect(refuse, WRONG_SECRET, with_figure)


# --- Tokens ----------------------------------------------------------------------------------------------------------


async def _form(request: web.Request, *needed: str) -> Mapping[str, str] | web.Response:
    """The fields of the question, or the refusal of an application that is unknown or left something out."""
    form = {name: str(value) for name, value in (await request.post()).items()}
    app = request.app[APPS]["douyin"]
    if not form.get("client_key") or any(not form.get(name) for name in needed):
        return refuse(BAD_PARAMETER, "parameter missing")
    if form["client_key"] != app.name:
        return refuse(WRONG_KEY, "client_key wrong")
    if "client_secret" in needed and form["client_secret"] != app.secret:
        return refuse(WRONG_SECRET, "client_secret wrong")
    return form


def _pair(consent: Consent, state: State) -> dict[str, Any]:
    return {
        "access_token": list(consent.access)[-1],
        "expires_in": state.consents["douyin"].lives.access,
        "refresh_token": consent.refresh_token,
        "refresh_expires_in": int(consent.refresh_until - state.now()),
        "open_id": consent.open_id,
        "scope": "data.external.user",
    }


async def access_token(request: web.Request) -> web.StreamResponse:
    form = await _form(request, "client_secret", "code", "grant_type")
    if isinstance(form, web.Response):
        return form
    if form["grant_type"] != "authorization_code":
        return refuse(BAD_PARAMETER, "grant_type wrong")
    state = request.app[STATE]
    handle = state.consents["douyin"].take_code(form["code"])
    if handle is None:
        return refuse(BAD_CODE, "code expired")
    state.record(request.path, handle)
    consent = state.consents["douyin"].give(handle)
    return await answer(request, DIALECT, handle, _data(_pair(consent, state)))


async def refresh_token(request: web.Request) -> web.StreamResponse:
    """A new access token, no secret needed. The refresh token and its expiry stay."""
    form = await _form(request, "grant_type", "refresh_token")
    if isinstance(form, web.Response):
        return form
    consent = _refreshable(request, form["refresh_token"])
    if isinstance(consent, web.Response):
        return consent
    return await answer_once_done(request, DIALECT, consent.handle, lambda: _refreshed(consent, request.app[STATE]))


def _refreshed(consent: Consent, state: State) -> dict[str, Any]:
    state.consents["douyin"].add_access(consent)
    return _data(_pair(consent, state))


async def renew_refresh_token(request: web.Request) -> web.StreamResponse:
    """A new refresh token with a whole life; the old one is discarded. Five times."""
    form = await _form(request, "refresh_token")
    if isinstance(form, web.Response):
        return form
    consent = _refreshable(request, form["refresh_token"])
    if isinstance(consent, web.Response):
        return consent
    if consent.renewals >= RENEWALS:
        return refuse(REFRESH_EXPIRED, "renewed five times")
    return await answer_once_done(request, DIALECT, consent.handle, lambda: _renewed(consent, request.app[STATE]))


def _renewed(consent: Consent, state: State) -> dict[str, Any]:
    lives = state.consents["douyin"].lives
    consent.renewals += 1
    state.consents["douyin"].replace_refresh(consent, until=state.now() + lives.refresh)
    return _data({"refresh_token": consent.refresh_token, "expires_in": lives.refresh})


def _refreshable(request: web.Request, token: str) -> Consent | web.Response:
    """Whose refresh token this is, or the refusal."""
    state = request.app[STATE]
    consent = state.consents["douyin"].by_refresh.get(token)
    if consent is None:
        return refuse(REFRESH_EXPIRED, "refresh_token wrong")
    state.record(request.path, consent.handle)
    if token != consent.refresh_token or consent.refresh_until <= state.now():
        return refuse(REFRESH_EXPIRED, "refresh_token expired")
    return consent


# --- Figures ---------------------------------------------------------------------------------------------------------


async def fans(request: web.Request) -> web.StreamResponse:
    consent = _reader(request)
    if isinstance(consent, web.Response):
        return consent
    span = SPANS.get(request.query.get("date_type", ""))
    if span is None:
        return refuse(BAD_SPAN, "date_type wrong")
    state = request.app[STATE]
    rows = series(state, consent.handle, state.today(), span)
    return await answer(request, DIALECT, consent.handle, _data({"result_list": rows}))


def series(state: State, handle: str, today: date, span: int) -> list[dict[str, Any]]:
    """The days up to today with all followers of each, and those that came on it."""
    days = [today - timedelta(days=back) for back in range(span, -1, -1)]
    totals = [state.followers_on(handle, day) for day in days]
    return [
        {"date": day.isoformat(), "total_fans": total, "new_fans": total - before}
        for day, total, before in zip(days[1:], totals[1:], totals, strict=False)
    ]


def _reader(request: web.Request) -> Consent | web.Response:
    """Whose token this is, or the refusal."""
    state, token = request.app[STATE], request.headers.get("access-token", "")
    open_id = request.query.get("open_id")
    if not token or not open_id:
        return refuse(BAD_PARAMETER, "parameter missing")
    consent = state.consents["douyin"].by_access.get(token)
    if consent is None:
        return refuse(ACCESS_INVALID, "access_token wrong")
    if consent.open_id != open_id:
        return refuse(OTHER_CREATOR, "access_token and open_id do not match")
    if not state.record(request.path, consent.handle):
        return refuse(OVER_LIMIT, "calls of the day used up")
    if consent.access.get(token, 0.0) <= state.now():
        return refuse(REVOKED if consent.refresh_until == 0 else ACCESS_EXPIRED, "access_token expired")
    return consent

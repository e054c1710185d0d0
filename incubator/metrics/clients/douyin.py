"""The Douyin Open Platform: consent, tokens, and the follower counts of a creator's last days.

Facts: vendor pages and independent clients of open.douyin.com. Business errors come as HTTP 200 with
``data.error_code`` other than 0; numbers may arrive as texts. The access token travels in a header of its own.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from incubator.metrics.clients import base, http

SCOPE = "data.external.user"
SPANS = (7, 15, 30)  # days a question may cover; every one costs one call
# A refresh token lives 30 days and an access token 15. Refreshing gives a new access token only, so the refresh token
# is renewed in its second half, or it would end before the next access token does. The platform renews five times.
RENEW_WITHIN = timedelta(days=16)
RENEW_AGAIN = timedelta(days=1)

ERRORS: dict[int, type[base.PlatformError]] = {
    10002: base.Misconfigured,  # bad parameter: our bug
    10003: base.Misconfigured,  # client_key wrong
    10004: base.Misconfigured,  # the application has not got the scope
    10005: base.Misconfigured,  # parameter missing
    10006: base.Misconfigured,  # way back is not the registered one
    10007: base.Reauthorise,  # bad, used or expired code
    10008: base.RefreshNeeded,
    10010: base.Reauthorise,  # refresh token expired
    10013: base.Misconfigured,  # client_key or client_secret wrong
    10014: base.Misconfigured,  # the code belongs to another application
    10020: base.RateLimited,
    2100001: base.Transient,
    2100004: base.Transient,  # system busy
    2100005: base.Misconfigured,  # bad parameter
    2190001: base.QuotaSpent,
    2190002: base.RefreshNeeded,  # access token invalid
    2190003: base.Reauthorise,  # the creator has not allowed it
    2190004: base.Misconfigured,  # the application has not got the ability
    2190007: base.Gone,  # creator banned
    2190008: base.RefreshNeeded,  # access token expired
    2190015: base.Reauthorise,  # token and open_id are two creators'
    2190016: base.Misconfigured,  # application banned or offline
    28001003: base.RefreshNeeded,  # access token invalid
    28001004: base.Gone,  # invalid open_id
    28001005: base.Transient,
    28001006: base.Transient,
    28001008: base.RefreshNeeded,  # access token expired
    28003017: base.QuotaSpent,
}


class DouyinClient(http.SessionClient):
    """``base.PlatformClient`` for Douyin. Use as ``async with``; times in seconds."""

    tells_history = True

    def __init__(
        self,
        client_key: str,
        client_secret: str,
        *,
        base_url: str = "https://open.douyin.com",
        gate: base.Gate | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._client_key = client_key
        self._client_secret = client_secret
        self._api = http.ApiSession(base_url, judge, gate=gate, timeout=timeout)

    def authorize_url(self, state: str, *, redirect_uri: str, mobile: bool = False) -> str:
        """Where the creator's browser goes to consent: one page for all browsers."""
        query = {
            "client_key": self._client_key,
            "response_type": "code",
            "scope": SCOPE,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._api.base_url}/platform/oauth/connect/{http.query_of(query)}"

    async def exchange(self, code: str, *, at: datetime) -> base.Tokens:
        data = await self._post(
            "/oauth/access_token/", client_secret=self._client_secret, code=code, grant_type="authorization_code"
        )
        external_id = data.get("open_id")
        if not external_id:
            raise base.BadAnswer("no_open_id")
        return http.need_scope(_tokens(data, str(external_id), at), SCOPE)

    async def refresh(self, tokens: base.Tokens, *, at: datetime) -> base.Tokens:
        """A new access token; near its end the refresh token is renewed as well.

        A refused refresh token means the creator has to consent again, whichever code the refusal carries.
        """
        try:
            data = await self._post(
                "/oauth/refresh_token/", grant_type="refresh_token", refresh_token=tokens.refresh_token
            )
        except base.RefreshNeeded as refusal:
            raise base.Reauthorise(refusal.code, refusal.detail) from None
        told = {"refresh_token": tokens.refresh_token, **data}
        fresh = http.inherited(_tokens(told, tokens.external_id, at), tokens)
        return await self._renewed(fresh, at) if fresh.refresh_expires_at - at < RENEW_WITHIN else fresh

    async def _renewed(self, tokens: base.Tokens, at: datetime) -> base.Tokens:
        """The tokens with a refresh token that lives longer; as they are when the platform renews no more.

        When it could not be asked, the access token is told to end within a day, so that it is asked again then. What
        went wrong is not raised: the access token is new and must not be lost.
        """
        try:
            data = await self._post("/oauth/renew_refresh_token/", refresh_token=tokens.refresh_token)
            longer = at + http.life(data, "expires_in")
            return replace(tokens, refresh_token=http.token(data, "refresh_token"), refresh_expires_at=longer)
        except (base.Reauthorise, base.Misconfigured):
            return tokens
        except base.PlatformError:
            return replace(tokens, access_expires_at=min(tokens.access_expires_at, at + RENEW_AGAIN))

    async def fetch(self, tokens: base.Tokens, *, days: int = 1) -> list[base.Reading]:
        """The last 7 days, or as many as 30 when more are asked for, in one call."""
        if not tokens.external_id:
            raise base.Reauthorise("no_open_id")
        span = next((span for span in SPANS if span >= days), SPANS[-1])
        target = f"/data/external/user/fans/?open_id={quote(tokens.external_id, safe='')}&date_type={span}"
        answer, today = await self._api.get(target, {"access-token": tokens.access_token})
        rows = answer["data"].get("result_list")
        return series(rows if isinstance(rows, list) else [], today)

    async def _post(self, path: str, **form: str) -> dict[str, Any]:
        answer, _day = await self._api.post(path, {"client_key": self._client_key, **form})
        data: dict[str, Any] = answer["data"]
        return data


def judge(answer: dict[str, Any]) -> None:
    """Raise what a ``data.error_code`` other than 0 stands for. After it ``data`` is an object."""
    data = answer.get("data")
    code = http.whole_number(data.get("error_code")) if isinstance(data, dict) else None
    if code is None:
        raise base.BadAnswer("no_error_code")
    if code:
        raise ERRORS.get(code, base.BadAnswer)(code)


def series(rows: list[Any], today: date) -> list[base.Reading]:
    """Readings from the rows of an answer, by day. Raises ``UnusableFigure`` when the newest day has no usable figure.

    An older day without one is left out, and so are days that have not been or are out of any question.
    """
    days = {day: row for row in rows if (day := _day(row)) and today - timedelta(days=SPANS[-1]) <= day <= today}
    if not days:
        raise base.UnusableFigure("missing", "result_list")
    newest = max(days)
    http.follower_count(days[newest], "total_fans")
    counts = ((day, http.optional_count(days[day], "total_fans")) for day in sorted(days))
    return [base.Reading(day, followers) for day, followers in counts if followers is not None]


def _day(row: Any) -> date | None:
    try:
        return date.fromisoformat(row["date"])
    except (KeyError, TypeError, ValueError):
        return None


def _tokens(data: dict[str, Any], external_id: str | None, at: datetime) -> base.Tokens:
    return http.tokens_of(
        data, at, external_id=external_id, refresh_seconds="refresh_expires_in", scopes=data.get("scope")
    )

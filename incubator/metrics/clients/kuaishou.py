"""The Kuaishou Open Platform: consent, tokens, and the current follower count of one creator at a time.

Facts: vendor pages ``platformDocs`` of open.kuaishou.com (2024). Business errors come as HTTP 200 with ``result`` other
than 1. Secrets travel in the query string, so a URL is never logged and never part of an exception.
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from incubator.metrics.clients import base, http

SCOPE = "user_info"

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


class KuaishouClient(http.SessionClient):
    """``base.PlatformClient`` for Kuaishou. Use as ``async with``; times in seconds."""

    tells_history = False

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        *,
        base_url: str = "https://open.kuaishou.com",
        gate: base.Gate | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._app_id = app_id
        self._app_secret = app_secret
        self._api = http.ApiSession(base_url, judge, gate=gate, timeout=timeout)
        # Everything of the address that is the same in every call; thousands are made.
        self._user_info = f"/openapi/user_info?app_id={quote(app_id, safe='')}&access_token="

    def authorize_url(self, state: str, *, redirect_uri: str, mobile: bool = False) -> str:
        query = {
            "app_id": self._app_id,
            "scope": SCOPE,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "state": state,
            "ua": "h5" if mobile else "pc",
        }
        return f"{self._api.base_url}/oauth2/authorize{http.query_of(query)}"

    async def exchange(self, code: str, *, at: datetime) -> base.Tokens:
        """Tokens for a code (single use, two minutes)."""
        answer = await self._ask_tokens("/oauth2/access_token", code=code, grant_type="authorization_code")
        external_id = answer.get("open_id")
        if not external_id:
            raise base.BadAnswer("no_open_id")
        return http.need_scope(_tokens(answer, str(external_id), at), SCOPE)

    async def refresh(self, tokens: base.Tokens, *, at: datetime) -> base.Tokens:
        """New tokens for the single-use refresh token. The new one inherits the old one's expiry.

        A refused refresh token means the creator has to consent again, whichever code the refusal carries.
        """
        try:
            answer = await self._ask_tokens(
                "/oauth2/refresh_token", refresh_token=tokens.refresh_token, grant_type="refresh_token"
            )
        except base.RefreshNeeded as refusal:
            raise base.Reauthorise(refusal.code, refusal.detail) from None
        return http.inherited(_tokens(answer, tokens.external_id, at), tokens)

    async def fetch(self, tokens: base.Tokens, *, days: int = 1) -> list[base.Reading]:
        """One reading, of the platform's present day: there is no history here."""
        answer, today = await self._api.get(self._user_info + quote(tokens.access_token, safe=""))
        info = answer.get("user_info")
        if not isinstance(info, dict):
            raise base.UnusableFigure("missing", "user_info")
        followers = http.follower_count(info, "fan")
        return [base.Reading(today, followers, http.optional_count(info, "follow"))]

    async def _ask_tokens(self, path: str, **query: str) -> dict[str, Any]:
        app = {"app_id": self._app_id, "app_secret": self._app_secret}
        answer, _day = await self._api.get(path + http.query_of(app | query))
        return answer


def judge(answer: dict[str, Any]) -> None:
    """Raise what a ``result`` other than 1 stands for."""
    code = http.whole_number(answer.get("result"))
    if code is None:
        raise base.BadAnswer("no_result")
    if code != 1:
        raise ERRORS.get(code, base.BadAnswer)(code)


def _tokens(answer: dict[str, Any], external_id: str | None, at: datetime) -> base.Tokens:
    return http.tokens_of(
        answer,
        at,
        external_id=external_id,
        refresh_seconds="refresh_token_expires_in",
        scopes=answer.get("scopes"),
    )

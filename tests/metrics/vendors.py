"""The platforms as the contract of their adapters sees them: how to open a client, and where and how it can fail."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from incubator.metrics.clients import base
from incubator.metrics.clients.douyin import DouyinClient
from incubator.metrics.clients.kuaishou import KuaishouClient
from tests.factories import SHANGHAI
from tests.platform import APP_ID, APP_SECRET, CLIENT_KEY, CLIENT_SECRET

AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Vendor:
    """One platform. ``codes``: a business code for each class of failure."""

    name: str
    client: Any
    app: str
    secret: str
    exchange_path: str
    refresh_path: str
    fetch_path: str
    code_life: timedelta
    access_life: timedelta
    consent_life: timedelta
    codes: dict[type[base.PlatformError], int]

    def ask(self, platform, what, *, secret=None, timeout=5.0, gate=None):
        """Run ``what(client)`` with a client of the simulator."""

        async def asked():
            keys = (self.app, secret or self.secret)
            async with self.client(*keys, base_url=platform.url, timeout=timeout, gate=gate) as client:
                return await what(client)

        return asyncio.run(asked())

    def consent(self, platform, handle="ks1", **more):
        """Tokens of a creator who has just consented."""
        code = platform.state.issue_code(handle, self.name)
        return self.ask(platform, lambda client: client.exchange(code, at=AT), **more)

    def fetch(self, platform, tokens, **more):
        return self.ask(platform, lambda client: client.fetch(tokens), **more)

    def refresh(self, platform, tokens, at=AT, **more):
        return self.ask(platform, lambda client: client.refresh(tokens, at=at), **more)


KUAISHOU = Vendor(
    "kuaishou",
    KuaishouClient,
    APP_ID,
    APP_SECRET,
    "/oauth2/access_token",
    "/oauth2/refresh_token",
    "/openapi/user_info",
    timedelta(minutes=2),
    timedelta(hours=48),
    timedelta(days=180),
    {
        base.Transient: 100200500,
        base.RateLimited: 100200410,
        base.QuotaSpent: 100100402,
        base.RefreshNeeded: 100200108,
        base.Reauthorise: 100200109,
        base.Misconfigured: 100200101,
        base.Gone: 400000,
        base.BadAnswer: 999,
    },
)
DOUYIN = Vendor(
    "douyin",
    DouyinClient,
    CLIENT_KEY,
    CLIENT_SECRET,
    "/oauth/access_token/",
    "/oauth/refresh_token/",
    "/data/external/user/fans/",
    timedelta(minutes=10),
    timedelta(days=15),
    timedelta(days=30),
    {
        base.Transient: 28001005,
        base.RateLimited: 10020,
        base.QuotaSpent: 28003017,
        base.RefreshNeeded: 2190008,
        base.Reauthorise: 10010,
        base.Misconfigured: 2100005,
        base.Gone: 28001004,
        base.BadAnswer: 999,
    },
)

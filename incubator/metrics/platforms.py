"""Which client speaks to which platform, built from the settings."""

from django.conf import settings
from django.urls import reverse

from incubator.metrics.choices import Platform
from incubator.metrics.clients.base import Gate, PlatformClient
from incubator.metrics.clients.douyin import DouyinClient
from incubator.metrics.clients.kuaishou import KuaishouClient


def client_for(platform: str, *, gate: Gate | None = None) -> PlatformClient:
    """The platform's client, unopened: use it as ``async with``. Every call it makes passes ``gate``."""
    if platform == Platform.KUAISHOU:
        return KuaishouClient(
            settings.KUAISHOU_APP_ID, settings.KUAISHOU_APP_SECRET, base_url=settings.KUAISHOU_BASE_URL, gate=gate
        )
    if platform == Platform.DOUYIN:
        return DouyinClient(
            settings.DOUYIN_CLIENT_KEY, settings.DOUYIN_CLIENT_SECRET, base_url=settings.DOUYIN_BASE_URL, gate=gate
        )
    raise ValueError(f"no client for {platform}")


def callback_url() -> str:
    """Where every platform sends the creator back to; its host is registered with each of them."""
    return settings.PUBLIC_URL + reverse("consent_callback")


def daily_budget(platform: str) -> int:
    """Calls of the follower interface we may make on one day."""
    return int(getattr(settings, f"{platform.upper()}_DAILY_BUDGET"))


def rate_per_second(platform: str) -> float:
    """Calls all workers together may begin in one second; 0 means no limit."""
    return float(getattr(settings, f"{platform.upper()}_RATE_PER_SECOND"))


def calls_per_account(platform: str) -> int:
    """Calls of the follower interface for one account on one day."""
    return int(getattr(settings, f"{platform.upper()}_CALLS_PER_ACCOUNT"))

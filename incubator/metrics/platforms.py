"""Which client speaks to which platform, built from the settings."""

from django.conf import settings
from django.urls import reverse

from incubator.metrics.choices import Platform
from incubator.metrics.clients.base import PlatformClient
from incubator.metrics.clients.kuaishou import KuaishouClient


def client_for(platform: str) -> PlatformClient:
    """The platform's client, unopened: use it as ``async with``. Each worker process takes its share of the rate."""
    if platform != Platform.KUAISHOU:
        raise ValueError(f"no client for {platform}")
    return KuaishouClient(
        settings.KUAISHOU_APP_ID,
        settings.KUAISHOU_APP_SECRET,
        base_url=settings.KUAISHOU_BASE_URL,
        rate_per_second=settings.KUAISHOU_RATE_PER_SECOND / settings.CELERY_WORKER_CONCURRENCY,
    )


def callback_url() -> str:
    """Where the platform sends the creator back to; its host is registered with the platform."""
    return settings.PUBLIC_URL + reverse("consent_callback")


def daily_budget(platform: str) -> int:
    """Calls of the follower interface we may make on one day."""
    return int(getattr(settings, f"{platform.upper()}_DAILY_BUDGET"))

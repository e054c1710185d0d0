"""The room ``metrics``: creator accounts, authorisations, platform clients, readings, refresh."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    name = "incubator.metrics"
    label = "metrics"
    verbose_name = _("Followers")

    def ready(self) -> None:
        """Register this room's kinds of job, and how it finds people."""
        from incubator.metrics import batches, finders, jobs  # noqa: F401

"""The room ``reports``: county figures and documents; reads, writes nothing but its own files."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "incubator.reports"
    label = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        """Register this room's kinds of job, and what it tells to the charts of followers."""
        from incubator.reports import jobs, marks  # noqa: F401

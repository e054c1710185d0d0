"""The room ``exports``: any list of the desk as a file, at once or as background work."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExportsConfig(AppConfig):
    name = "incubator.exports"
    label = "exports"
    verbose_name = _("Exports")

    def ready(self) -> None:
        """Offer the export on every list, and register this room's kind of job."""
        from incubator.exports import jobs, views  # noqa: F401

"""The room ``rosters``: roster workbooks: uploaded, read, checked, previewed, applied."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RostersConfig(AppConfig):
    name = "incubator.rosters"
    label = "rosters"
    verbose_name = _("Rosters")

    def ready(self) -> None:
        """Register this room's kinds of job."""
        from incubator.rosters import jobs  # noqa: F401

"""The room ``figures``: workbooks of follower counts: uploaded, read, checked, previewed, applied."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FiguresConfig(AppConfig):
    name = "incubator.figures"
    label = "figures"
    verbose_name = _("Figures from files")

    def ready(self) -> None:
        """Register this room's kinds of job."""
        from incubator.figures import jobs  # noqa: F401

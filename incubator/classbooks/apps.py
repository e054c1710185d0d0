"""The room ``classbooks``: workbooks of attendance and of online learning: uploaded, checked, previewed, applied."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassbooksConfig(AppConfig):
    name = "incubator.classbooks"
    label = "classbooks"
    verbose_name = _("Training from files")

    def ready(self) -> None:
        """Register this room's kinds of job."""
        from incubator.classbooks import jobs  # noqa: F401

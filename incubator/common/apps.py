"""The room ``common``: what has no owner: errors, encryption, small tools; no models."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommonConfig(AppConfig):
    name = "incubator.common"
    label = "common"
    verbose_name = _("Common")

    def ready(self) -> None:
        """Mask what is logged from now on."""
        from incubator.common.logs import mask_every_record

        mask_every_record()

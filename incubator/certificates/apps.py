"""The room ``certificates``: awards on paper, their seals and editions, ceremonies, notices of withdrawal."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CertificatesConfig(AppConfig):
    name = "incubator.certificates"
    label = "certificates"
    verbose_name = _("Certificates")

    def ready(self) -> None:
        from incubator.certificates import jobs  # noqa: F401 - it registers

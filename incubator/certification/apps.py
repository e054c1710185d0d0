"""The room ``certification``: badges, rules, candidates, awards."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CertificationConfig(AppConfig):
    name = "incubator.certification"
    label = "certification"
    verbose_name = _("Certification")

    def ready(self) -> None:
        from incubator.certification import guards, interests, jobs  # noqa: F401 - they register

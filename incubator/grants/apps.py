"""The room ``grants``: traffic pools, ledger, grants."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GrantsConfig(AppConfig):
    name = "incubator.grants"
    label = "grants"
    verbose_name = _("Support")

    def ready(self) -> None:
        from incubator.grants import interests, marks  # noqa: F401 - they register

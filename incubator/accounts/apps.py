"""The room ``accounts``: who logs in, with what role, posted to which region, until when."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "incubator.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Keep the staff groups whole: permissions come into being with migrations."""
        from incubator.accounts.services import ensure_groups_after_migration

        post_migrate.connect(ensure_groups_after_migration, dispatch_uid="accounts.ensure_groups")

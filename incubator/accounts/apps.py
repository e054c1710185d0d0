"""The room ``accounts``: who logs in, with what role, posted to which region, until when."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "incubator.accounts"
    label = "accounts"
    verbose_name = _("Accounts")

"""The room ``credentials``: awards as signed Open Badges, and the page where anybody verifies an award."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CredentialsConfig(AppConfig):
    name = "incubator.credentials"
    label = "credentials"
    verbose_name = _("Credentials")

    def ready(self) -> None:
        """Listen to the room below when what strangers read of an award has changed."""
        from incubator.certification.services.names import shown_name_changed
        from incubator.credentials.hearing import say_it_anew

        shown_name_changed.connect(say_it_anew, dispatch_uid="credentials.say_it_anew")

"""The room ``trainees``: the people: identity, county, contact, consent."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TraineesConfig(AppConfig):
    name = "trainees"
    label = "trainees"
    verbose_name = _("Trainees")

    def ready(self) -> None:
        """Tell how people are found, so that a change of the index key finds them."""
        from incubator.common.sealed import register_indexed_table
        from trainees.services import INDEXED

        register_indexed_table(INDEXED)

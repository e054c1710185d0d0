"""The room ``duplicates``: people who may be one person: asked about, decided, merged, and taken apart again."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DuplicatesConfig(AppConfig):
    name = "incubator.duplicates"
    label = "duplicates"
    verbose_name = _("Duplicates")

    def ready(self) -> None:
        """Listen to rooms below that come across people who look alike."""
        from incubator.duplicates.services import put_into_queue
        from trainees.signals import people_look_alike

        people_look_alike.connect(put_into_queue, dispatch_uid="duplicates.put_into_queue")

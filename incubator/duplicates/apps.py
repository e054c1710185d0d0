"""The room ``duplicates``: people who may be one person: asked about, decided, merged, and taken apart again."""

from django.apps import AppConfig
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DuplicatesConfig(AppConfig):
    name = "incubator.duplicates"
    label = "duplicates"
    verbose_name = _("Duplicates")

    def ready(self) -> None:
        """Listen to rooms below that come across people who look alike; an open question holds no roster."""
        from incubator.duplicates.choices import PairState
        from incubator.duplicates.models import DuplicatePair
        from incubator.duplicates.services import put_into_queue
        from incubator.rosters.undoing import goes_with_the_person
        from trainees.signals import people_look_alike

        people_look_alike.connect(put_into_queue, dispatch_uid="duplicates.put_into_queue")
        goes_with_the_person(DuplicatePair, Q(state=PairState.OPEN))

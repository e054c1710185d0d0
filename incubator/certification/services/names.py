"""Whether strangers who verify an award read its holder's name: the holder alone says so, and may take it back."""

from typing import Any

from django.db import transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.common.errors import RuleBroken, Stale

# What strangers read of an award has changed. Gives ``award``; sent within the transaction of the change.
shown_name_changed = Signal()


@transaction.atomic
def agree_to_show_name(award: Award, *, by: Any) -> Award:
    """From now on whoever verifies the award reads the name on the certificate."""
    _require_holder(award, by)
    silent = Award.objects.live().filter(pk=award.pk, name_shown_since=None)
    if not silent.update(name_shown_since=timezone.now()):
        raise Stale(_("This award is withdrawn, or its name is shown already."))
    return _told(award)


@transaction.atomic
def take_back_name(award: Award, *, by: Any) -> Award:
    """From now on nobody who verifies the award reads the name; of a withdrawn one too."""
    _require_holder(award, by)
    if not Award.objects.filter(pk=award.pk).exclude(name_shown_since=None).update(name_shown_since=None):
        raise Stale(_("The name of this award is not shown."))
    return _told(award)


def _require_holder(award: Award, by: Any) -> None:
    """Nobody agrees for somebody else, staff neither."""
    if by is None or award.trainee.user_id is None or award.trainee.user_id != by.pk:
        raise RuleBroken(_("Only the holder of an award decides whether its name is shown."))


def _told(award: Award) -> Award:
    award.refresh_from_db()
    shown_name_changed.send(Award, award=award)
    return award

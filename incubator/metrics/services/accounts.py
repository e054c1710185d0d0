"""Entering creator accounts."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.metrics.choices import Platform
from incubator.metrics.models import CreatorAccount
from trainees.models import Trainee
from trainees.services import require_people


@transaction.atomic
def register_accounts(pairs: Sequence[tuple[Trainee, str]], platform: str = Platform.KUAISHOU) -> list[CreatorAccount]:
    """Enter ``(trainee, handle)`` pairs; those entered already for the same person are left as they are.

    Raises ``RuleBroken`` when a handle belongs to somebody else. Three queries for any number.
    """
    require_people(trainee.pk for trainee, _handle in pairs)
    handles = [handle for _trainee, handle in pairs]
    owners = dict(
        CreatorAccount.objects.filter(platform=platform, handle__in=handles).values_list("handle", "trainee_id")
    )
    for trainee, handle in pairs:
        if owners.get(handle, trainee.pk) != trainee.pk:
            raise RuleBroken(_("The account %(handle)s belongs to another trainee already.") % {"handle": handle})
    return CreatorAccount.objects.bulk_create(
        [CreatorAccount(trainee=t, platform=platform, handle=h) for t, h in pairs if h not in owners], batch_size=1000
    )

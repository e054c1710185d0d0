"""Entering creator accounts."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken
from incubator.metrics.choices import AccountState, Platform
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


def register_accounts_of(source: str, params: Mapping[str, Any]) -> int:
    """Enter the accounts that a query of ours gives: ``id`` (a reserved key), ``trainee_id``, ``platform``, ``handle``.

    Those entered already for the same person are left as they are. Returns how many were entered. Raises
    ``django.db.IntegrityError`` when a handle belongs to somebody else.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO metrics_creatoraccount (id, trainee_id, platform, handle, state)
            SELECT id, trainee_id, platform, handle, %(unlinked)s FROM ({source}) AS said
            WHERE NOT EXISTS (
                SELECT FROM metrics_creatoraccount AS known
                WHERE known.platform = said.platform AND known.handle = said.handle
                    AND known.trainee_id = said.trainee_id
            )
            """,  # noqa: S608 - the source is ours
            {**params, "unlinked": AccountState.UNLINKED.value},
        )
        return cursor.rowcount


def remove_accounts(source: str, params: Mapping[str, Any]) -> int:
    """Take accounts out again whose ids ``source`` gives, and nothing was ever read of."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM metrics_creatoraccount WHERE id IN ({source})", params)  # noqa: S608
        return cursor.rowcount

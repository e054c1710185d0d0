"""The only writers of grants, pools' promises and the ledger. Lock the pool, which is the limit, then count."""

from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.grants.choices import MOVES, EntryKind, GrantState, SupportLevel
from incubator.grants.models import Grant, GrantMove, LedgerEntry, TrafficPool
from incubator.programmes.models import Participation


def propose_grant(
    pool: TrafficPool,
    *,
    participation: Participation,
    impressions: int,
    by: Any,
    on: date,
    level: str = SupportLevel.FIRST,
) -> Grant:
    """Propose impressions for somebody in their support period. Nothing is promised before approval."""
    if impressions <= 0:
        raise RuleBroken(_("A grant gives at least one impression."))
    days_left = participation.support_days_left(on)
    if not participation.is_graduated or not days_left:
        raise RuleBroken(_("%(name)s is not in a support period.") % {"name": participation.trainee.name})
    return Grant.objects.create(
        pool=pool, participation=participation, impressions=impressions, level=level, proposed_by=by, proposed_on=on
    )


@transaction.atomic
def approve_grant(grant: Grant, *, by: Any, on: date) -> Grant:
    """Promise the impressions. Of two approvals of the last impressions one wins, the other is told what is left."""
    pool = TrafficPool.objects.select_for_update().get(pk=grant.pool_id)
    _move(grant, GrantState.APPROVED, by=by, approved_on=on)
    if grant.impressions > pool.left:
        raise RuleBroken(
            _("The pool has %(left)s impressions left and the grant asks for %(asked)s. Make it smaller or wait.")
            % {"left": f"{pool.left:,}", "asked": f"{grant.impressions:,}"}
        )
    _enter(grant, EntryKind.PROMISE, grant.impressions, by)
    return grant


def refuse_grant(grant: Grant, *, by: Any, reason: str) -> Grant:
    with transaction.atomic():
        return _move(grant, GrantState.REFUSED, by=by, reason=_said(reason))


@transaction.atomic
def cancel_grant(grant: Grant, *, by: Any, reason: str) -> Grant:
    """Take an approved grant back; its impressions return to the pool."""
    TrafficPool.objects.select_for_update().get(pk=grant.pool_id)
    _move(grant, GrantState.CANCELLED, by=by, reason=_said(reason))
    _enter(grant, EntryKind.RETURN, -grant.impressions, by)
    return grant


def _said(reason: str) -> str:
    if not reason.strip():
        raise RuleBroken(_("Say why."))
    return reason.strip()


def _move(grant: Grant, after: GrantState, *, by: Any, reason: str = "", **changes: Any) -> Grant:
    before = grant.state
    if after not in MOVES[before]:
        raise RuleBroken(
            _("The grant is “%(before)s” and cannot become “%(after)s”.")
            % {"before": grant.get_state_display(), "after": after.label}
        )
    if not Grant.objects.filter(pk=grant.pk, state=before).update(state=after, **changes):
        raise Stale(_("Somebody else has just changed this grant. Look again and repeat."))
    GrantMove.objects.create(grant=grant, before=before, after=after, by=by, reason=reason)
    grant.refresh_from_db()
    return grant


def _enter(grant: Grant, kind: EntryKind, impressions: int, by: Any) -> None:
    LedgerEntry.objects.create(pool_id=grant.pool_id, grant=grant, kind=kind, impressions=impressions, by=by)
    TrafficPool.objects.filter(pk=grant.pool_id).update(promised=F("promised") + impressions)

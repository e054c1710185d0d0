"""The only writers of participations and support periods."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.choices import MOVES, ParticipationState, SupportReminderEnd
from incubator.programmes.models import Cohort, Participation, ParticipationMove
from incubator.programmes.support import close_reminders, take_back_all
from trainees.models import Trainee
from trainees.services import require_people


@transaction.atomic
def nominate_trainees(trainees: Iterable[Trainee], *, cohort: Cohort, on: date, by: Any) -> list[Participation]:
    """Nominate people into a cohort; those who take part already stay as they are. Returns the new participations.

    Raises ``Stale`` when one of them has been merged with another person.
    """
    trainees = list(trainees)
    require_people(t.pk for t in trainees)
    there = set(Participation.objects.filter(cohort=cohort, trainee__in=trainees).values_list("trainee_id", flat=True))
    return Participation.objects.bulk_create(
        [Participation(trainee=t, cohort=cohort, nominated_on=on) for t in trainees if t.pk not in there],
        batch_size=1000,
    )


def admit(participations: Sequence[Participation], *, by: Any) -> int:
    """Admit nominated people to their cohort."""
    return _move_all(participations, ParticipationState.ADMITTED, by=by)


def start_training(participations: Sequence[Participation], *, by: Any) -> int:
    """Raises ``RuleBroken`` also for graduates: a graduation is taken back, with a reason, and not trained away."""
    for participation in participations:
        if participation.state == ParticipationState.GRADUATED:
            raise _cannot_become(participation.state, ParticipationState.TRAINING, participation)
    return _move_all(participations, ParticipationState.TRAINING, by=by)


@transaction.atomic
def withdraw(participation: Participation, *, by: Any, reason: str) -> Participation:
    """End a participation early. The history stays; the support period is no longer open."""
    if not reason.strip():
        raise RuleBroken(_("Say why the participation ends."))
    _move_all([participation], ParticipationState.WITHDRAWN, by=by, reason=reason)
    close_reminders([participation.pk], SupportReminderEnd.ENDED, at=timezone.now())
    participation.refresh_from_db()
    return participation


@transaction.atomic
def take_back_graduation(participation: Participation, *, by: Any, reason: str) -> Participation:
    """Put a graduate back into training: the support period is no longer open, and the move says why.

    What was done to the period is taken back with it, so that another graduation opens a period as its cohort gives it.
    Called by the teaching room, which keeps the decision that is taken back.
    """
    days = ("graduated_on", "support_starts_on", "support_ends_on", "support_base_ends_on")
    none: dict[str, Any] = dict.fromkeys(days)
    _move_all([participation], ParticipationState.TRAINING, by=by, reason=reason, **none)
    take_back_all(participation, reason=reason, by=by)
    close_reminders([participation.pk], SupportReminderEnd.ENDED, at=timezone.now())
    participation.refresh_from_db()
    return participation


@transaction.atomic
def _move_all(
    participations: Sequence[Participation], after: ParticipationState, *, by: Any, reason: str = "", **changes: Any
) -> int:
    """Move all of them or none, guarded by the state each was read in: of two clicks at once one loses."""
    for before in {p.state for p in participations}:
        group = [p for p in participations if p.state == before]
        _check_move(before, after, group[0])
        won = Participation.objects.filter(pk__in=[p.pk for p in group], state=before).update(state=after, **changes)
        if won != len(group):
            raise Stale(_("Somebody else has just changed one of these participations. Look again and repeat."))
        ParticipationMove.objects.bulk_create(
            ParticipationMove(participation=p, before=before, after=after, by=by, reason=reason) for p in group
        )
        for participation in group:
            participation.state = after
    return len(participations)


def _check_move(before: str, after: ParticipationState, example: Participation) -> None:
    if after not in MOVES[before]:
        raise _cannot_become(before, after, example)


def _cannot_become(before: str, after: ParticipationState, example: Participation) -> RuleBroken:
    return RuleBroken(
        _("%(who)s is “%(before)s” and cannot become “%(after)s”.")
        % {
            "who": example.trainee.name,
            "before": ParticipationState(before).label,
            "after": after.label,
        }
    )

"""The only writers of what changes a support period. Lock the participation, which has the limit, then count.

Every function ends in an UPDATE of the participation's own days: rooms above read those, and hear of it there.
"""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from itertools import batched
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.choices import Cause, ChangeKind, ParticipationState, SupportReminderEnd
from incubator.programmes.models import Participation, SupportChange, SupportReminder
from incubator.programmes.periods import Pause, Period
from incubator.programmes.queries import changes_in_force, pauses_in, period_from, periods_of
from trainees.services import require_people

AT_ONCE = 1000  # participations that one transaction of the night locks

MOVE_ENDS = """
UPDATE programmes_participation participation SET support_ends_on = found.ends_on
FROM unnest(%(ids)s::bigint[], %(ends)s::date[]) AS found (id, ends_on)
WHERE participation.id = found.id AND participation.support_ends_on <> found.ends_on
"""


@transaction.atomic
def extend_support(
    participation: Participation, *, days: int, cause: str, reason: str, by: Any, on: date
) -> SupportChange:
    """Add days to the end of a support period.

    Raises ``RuleBroken`` past the cohort's limit, after its grace, and for whoever has no period.
    """
    person, period, _rows = _locked(participation, reason)
    most = person.cohort.most_extension_days
    if days < 1:
        raise RuleBroken(_("An extension adds at least one day."))
    if not most:
        raise RuleBroken(_("In %(cohort)s support periods are not extended.") % {"cohort": person.cohort})
    if period.extended + days > most:
        raise RuleBroken(_too_many(person, most, period.extended, days))
    return _enter(person, period, on, kind=ChangeKind.EXTENSION, cause=Cause(cause), days=days, reason=reason, by=by)


@transaction.atomic
def pause_support(
    participation: Participation,
    *,
    first_day: date,
    last_day: date | None = None,
    cause: str,
    reason: str,
    by: Any,
    on: date,
) -> SupportChange:
    """Let a support period stand still from ``first_day`` to ``last_day``, both included; without a last day until it
    is resumed, at most as long as the cohort's limit allows.

    Raises ``RuleBroken`` past the limit, after the cohort's grace, for a day outside the period, and where it is paused
    already.
    """
    person, period, _rows = _locked(participation, reason)
    pause = _new_pause(person, period, first_day, last_day, on)
    if not period.starts_on <= first_day <= period.ends_on(on):
        raise RuleBroken(
            _("The support period lasts from %(first)s to %(last)s. A pause begins on one of these days.")
            % {"first": period.starts_on, "last": period.ends_on(on)}
        )
    if there := period.meets(pause):
        raise RuleBroken(
            _("The support period is paused from %(first)s to %(last)s already. Pauses have no day in common.")
            % {"first": there.first, "last": there.last}
        )
    return _enter(
        person,
        period,
        on,
        kind=ChangeKind.PAUSE,
        cause=Cause(cause),
        first_day=pause.first,
        last_day=pause.last,
        is_open=pause.is_open,
        reason=reason,
        by=by,
    )


def _new_pause(person: Participation, period: Period, first_day: date, last_day: date | None, on: date) -> Pause:
    """The pause that is asked for, within what the cohort allows."""
    most, given = person.cohort.most_pause_days, period.paused_days()
    left = most - given
    if not most:
        raise RuleBroken(_("In %(cohort)s support periods are not paused.") % {"cohort": person.cohort})
    if last_day is not None and last_day < first_day:
        raise RuleBroken(_("The last day of the pause lies before its first one."))
    pause = Pause(first_day, last_day or first_day + timedelta(days=max(left, 1) - 1), is_open=last_day is None)
    if pause.days > left:
        raise RuleBroken(_too_many(person, most, given, pause.days))
    if pause.is_open and not first_day <= on <= pause.last:
        raise RuleBroken(
            _("A pause without a last day is one that runs today. Say its last day, %(last)s at the latest.")
            % {"last": pause.last}
        )
    return pause


@transaction.atomic
def resume_support(participation: Participation, *, goes_on_on: date, reason: str, by: Any, on: date) -> SupportChange:
    """End a pause early, or one without a last day: the support period goes on from ``goes_on_on``."""
    person, period, rows = _locked(participation, reason)
    in_force = changes_in_force(rows)
    pauses = pauses_in(in_force)
    row = next((row for row, pause in pauses if pause.first < goes_on_on <= pause.last), None)
    if any(pause.first == goes_on_on for _row, pause in pauses):
        raise RuleBroken(_("The pause begins on that day. If it was none, take it back."))
    if row is None:
        raise RuleBroken(
            _("The support period is not paused on %(day)s, so it cannot go on from there.") % {"day": goes_on_on}
        )
    if any(change.about_id == row.pk for change in in_force):
        raise RuleBroken(_("The end of this pause is entered already. Take that back first."))
    last_day = goes_on_on - timedelta(days=1)
    return _enter(person, period, on, kind=ChangeKind.RESUMPTION, about=row, last_day=last_day, reason=reason, by=by)


@transaction.atomic
def take_back_support_change(change: SupportChange, *, reason: str, by: Any, on: date) -> SupportChange:
    """Let a change count no more; its row stays, and so does the one that takes it back, which is returned.

    Where that lengthens the period (the end of a pause is taken back), limits and grace hold as for any other change.
    """
    person, period, rows = _locked(change.participation, reason)
    if change.kind == ChangeKind.TAKING_BACK:
        raise RuleBroken(_("What was taken back is not brought back. Enter it anew."))
    if any(row.kind == ChangeKind.TAKING_BACK and row.about_id == change.pk for row in rows):
        raise Stale(_("This change has been taken back already."))
    if change.kind == ChangeKind.RESUMPTION:
        _require_room(person, rows, change)
    return _enter(person, period, on, kind=ChangeKind.TAKING_BACK, about=change, reason=reason, by=by)


def _require_room(person: Participation, rows: Iterable[SupportChange], resumption: SupportChange) -> None:
    """A pause whose end is taken back is as long again as it was: other pauses and the limit leave it that room."""
    rest = [row for row in rows if row.pk != resumption.pk]
    pauses = [pause for _row, pause in pauses_in(changes_in_force(rest))]
    long = next((pause for row, pause in pauses_in(changes_in_force(rest)) if row.pk == resumption.about_id), None)
    if long is None:
        return  # the pause itself was taken back
    others = [pause for pause in pauses if pause is not long and pause != long]
    if any(pause.first <= long.last and long.first <= pause.last for pause in others):
        raise RuleBroken(_("Without this end the pause would reach into another one. Take that back first."))
    given, most = sum(pause.days for pause in others), person.cohort.most_pause_days
    if given + long.days > most:
        raise RuleBroken(_too_many(person, most, given, long.days))


def take_back_all(participation: Participation, *, reason: str, by: Any) -> int:
    """Let nothing that was done to a support period count any more, because the period itself goes; how many."""
    rows = changes_in_force(SupportChange.objects.filter(participation=participation).order_by("pk"))
    lengthening = [row for row in rows if row.kind in (ChangeKind.EXTENSION, ChangeKind.PAUSE)]
    why = reason.strip()[:200] or _("The support period itself was taken back.")
    SupportChange.objects.bulk_create(
        SupportChange(participation_id=participation.pk, kind=ChangeKind.TAKING_BACK, about=row, reason=why, by=by)
        for row in lengthening
    )
    return len(lengthening)


def _locked(participation: Participation, reason: str) -> tuple[Participation, Period, list[SupportChange]]:
    """The participation, locked, with its period and all its changes; refused for whoever has no period."""
    if not reason.strip():
        raise RuleBroken(_("Say why the support period changes."))
    require_people([participation.trainee_id])
    rows = Participation.objects.select_for_update(of=("self",), no_key=True).select_related("cohort__programme")
    person = rows.filter(pk=participation.pk).first()
    if person is None:
        raise Stale(_("Somebody else has just changed one of these participations. Look again and repeat."))
    changes = list(SupportChange.objects.filter(participation=person).order_by("pk"))
    period = period_from(person, changes)
    if person.state != ParticipationState.GRADUATED or period is None:
        raise RuleBroken(
            _("%(who)s is “%(state)s”. Only the support period of somebody who graduated can be changed.")
            % {"who": participation.trainee.name, "state": person.get_state_display()}
        )
    return person, period, changes


def _too_many(person: Participation, most: int, given: int, asked: int) -> str:
    left = max(0, most - given)
    sentence = ngettext(
        "%(cohort)s allows %(most)s days in all, of which %(given)s are given: %(left)s day is left, and "
        "%(asked)s are asked for.",
        "%(cohort)s allows %(most)s days in all, of which %(given)s are given: %(left)s days are left, and "
        "%(asked)s are asked for.",
        left,
    )
    return sentence % {"cohort": person.cohort, "most": most, "given": given, "left": left, "asked": asked}


def _enter(person: Participation, before: Period, on: date, *, reason: str, **values: Any) -> SupportChange:
    """Add the row and move the end; refused where that lengthens a period that is over for longer than the grace."""
    if person.support_base_ends_on is None:  # opened by something that did not note it: kept from now on
        Participation.objects.filter(pk=person.pk).update(support_base_ends_on=before.base_ends_on)
    change = SupportChange.objects.create(participation=person, reason=reason.strip(), **values)
    ended_on, grace = before.ends_on(on), person.cohort.grace_days
    ends_on = periods_of([person])[person.pk].ends_on(on)
    if ends_on > ended_on and on > ended_on + timedelta(days=grace):
        raise RuleBroken(
            ngettext(
                "The support period ended on %(day)s, and it can be lengthened for %(count)s day after that only.",
                "The support period ended on %(day)s, and it can be lengthened for %(count)s days after that only.",
                grace,
            )
            % {"day": ended_on, "count": grace}
        )
    Participation.objects.filter(pk=person.pk).update(support_ends_on=ends_on)
    if ends_on != person.support_ends_on:
        close_reminders([person.pk], SupportReminderEnd.MOVED, at=timezone.now())
    return change


def close_reminders(participations: Collection[int], outcome: SupportReminderEnd, *, at: datetime) -> int:
    """Close the open reminders of participations, by their keys, saying why."""
    return SupportReminder.objects.open().filter(participation__in=participations).update(closed_at=at, outcome=outcome)


# --- What the calendar does -------------------------------------------------------------------------------------------


def move_open_pauses(*, on: date) -> int:
    """Move the end of every period that stands still without a last day to where it is as of ``on``; how many moved.

    Done twice or days late it comes to the same: the end is computed and not counted on.
    """
    found = SupportChange.objects.never_ended().filter(participation__state=ParticipationState.GRADUATED)
    ids = sorted(set(found.order_by().values_list("participation_id", flat=True)))
    return sum(_move_ends(list(some), on) for some in batched(ids, AT_ONCE))


@transaction.atomic
def _move_ends(ids: list[int], on: date) -> int:
    rows = Participation.objects.select_for_update(no_key=True).filter(pk__in=ids, state=ParticipationState.GRADUATED)
    periods = periods_of(list(rows.order_by("pk")))
    ends = [period.ends_on(on) for period in periods.values()]
    with connection.cursor() as cursor:
        cursor.execute(MOVE_ENDS, {"ids": list(periods), "ends": ends})
        return cursor.rowcount

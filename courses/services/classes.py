"""The only writers of enrolments: into a class, its queue, out of it, and over to another one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from courses.choices import EnrolmentState, TaughtSource
from courses.models import CarriedTraining, Enrolment, EnrolmentMove, Taught, TrainingClass
from incubator.common.errors import RuleBroken
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation
from incubator.programmes.services import start_training

MAY_ENROL = (ParticipationState.ADMITTED, ParticipationState.TRAINING)


@transaction.atomic
def enrol(
    participations: Sequence[Participation], *, training_class: TrainingClass, by: Any, queue: bool = False
) -> int:
    """Put admitted people into a class, up to its capacity; they are in training from then on.

    With ``queue`` those who find no place wait, in the order given, and move up when somebody leaves. Returns how many
    got a place. Raises ``RuleBroken`` for people of another cohort or state, who had such a class already, or too many.
    """
    locked = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
    if any(p.cohort_id != locked.cohort_id for p in participations):
        raise RuleBroken(_("Everybody in a class must be of its cohort."))
    there = {e.participation_id: e for e in locked.enrolments.all()}
    wanted = [p for p in participations if p.pk not in there or there[p.pk].state == EnrolmentState.LEFT]
    if not queue:
        in_queue = [p for p in participations if p.pk in there and there[p.pk].state == EnrolmentState.WAITING]
        wanted += in_queue
    for p in wanted:
        _require_admitted(p)
    _require_not_repeated(wanted, locked)
    taken = sum(e.state == EnrolmentState.ENROLLED for e in there.values())
    free = max(0, locked.capacity - taken)
    if len(wanted) > free and not queue:
        raise RuleBroken(
            _("The class has %(free)s places left and you chose %(count)s people.")
            % {"free": free, "count": len(wanted)}
        )
    _put(wanted[:free], there, locked, EnrolmentState.ENROLLED, by=by)
    _put(wanted[free:], there, locked, EnrolmentState.WAITING, by=by)
    return min(free, len(wanted))


def _require_admitted(participation: Participation) -> None:
    if participation.state not in MAY_ENROL:
        raise RuleBroken(
            _("%(name)s is “%(state)s”. Only admitted people are put into a class.")
            % {"name": participation.trainee.name, "state": participation.get_state_display()}
        )


def _put(
    people: Sequence[Participation],
    there: dict[int, Enrolment],
    training_class: TrainingClass,
    state: EnrolmentState,
    *,
    by: Any,
    reason: str = "",
) -> None:
    """Write the enrolments and their moves; who gets a place is in training."""
    now = timezone.now()
    rows = [Enrolment(training_class=training_class, participation=p, state=state, since=now) for p in people]
    before = {p.pk: there[p.pk].state if p.pk in there else "" for p in people}
    written = Enrolment.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["training_class", "participation"],
        update_fields=["state", "since"],
    )
    EnrolmentMove.objects.bulk_create(
        EnrolmentMove(enrolment=row, before=before[row.participation_id], after=state, by=by, reason=reason)
        for row in written
    )
    if state == EnrolmentState.ENROLLED:
        start_training([p for p in people if p.state == ParticipationState.ADMITTED], by=by)


# Setting TRAINING_REPEAT_YEARS: who had a class of a kind and level has it again only after so many years.
REPEATED = """
SELECT trainee.name, class.name, coalesce(class.starts_on, first.day)
FROM programmes_participation wanted
JOIN programmes_participation other ON other.trainee_id = wanted.trainee_id
JOIN courses_enrolment enrolment ON enrolment.participation_id = other.id AND enrolment.state <> 'left'
JOIN courses_trainingclass class ON class.id = enrolment.training_class_id
JOIN trainees_trainee trainee ON trainee.id = wanted.trainee_id
LEFT JOIN LATERAL (
    SELECT min((starts_at AT TIME ZONE 'Asia/Shanghai')::date) AS day
    FROM courses_session WHERE training_class_id = class.id
) first ON true
WHERE wanted.id = ANY(%(people)s) AND class.id <> %(class)s AND class.kind = %(kind)s AND class.level = %(level)s
    AND coalesce(class.starts_on, first.day, %(on)s) > %(on)s::date - make_interval(years => %(years)s)
    AND coalesce(class.starts_on, first.day, %(on)s) < %(on)s::date + make_interval(years => %(years)s)
ORDER BY wanted.id LIMIT 1
"""


def _require_not_repeated(people: Sequence[Participation], training_class: TrainingClass) -> None:
    """Nobody has a class of one kind and level twice within the years of ``TRAINING_REPEAT_YEARS`` (0: no limit)."""
    if not people or not settings.TRAINING_REPEAT_YEARS:
        return
    values = {
        "people": [p.pk for p in people],
        "class": training_class.pk,
        "kind": training_class.kind,
        "level": training_class.level,
        "on": starts_on(training_class),
        "years": settings.TRAINING_REPEAT_YEARS,
    }
    with connection.cursor() as cursor:
        cursor.execute(REPEATED, values)
        found = cursor.fetchone()
    if found:
        name, other, day = found
        raise RuleBroken(
            _(
                "%(name)s is in “%(class)s” (%(day)s), which is of the same kind and level. Nobody attends the same "
                "kind and level twice within %(years)s years."
            )
            % {
                "name": name,
                "class": other,
                "day": date_format(day, "DATE_FORMAT") if day else _("no day yet"),
                "years": settings.TRAINING_REPEAT_YEARS,
            }
        )


def starts_on(training_class: TrainingClass) -> date:
    """The first day of a class: as entered, else of its first session, else today."""
    if training_class.starts_on:
        return training_class.starts_on
    first = training_class.sessions.order_by("starts_at").first()
    return timezone.localtime(first.starts_at).date() if first else timezone.localdate()


@transaction.atomic
def leave_class(enrolment: Enrolment, *, by: Any, reason: str) -> Enrolment | None:
    """Take somebody out of a class or its queue; the next one of the queue moves up. Returns who did, if anybody.

    What they attended stays and counts. Raises ``RuleBroken`` without a reason or when they have left already.
    """
    if not reason.strip():
        raise RuleBroken(_("Say why this person leaves the class."))
    training_class = TrainingClass.objects.select_for_update().get(pk=enrolment.training_class_id)
    enrolment = Enrolment.objects.get(pk=enrolment.pk)
    if enrolment.state == EnrolmentState.LEFT:
        raise RuleBroken(_("This person has left the class already."))
    was = enrolment.state
    _move(enrolment, EnrolmentState.LEFT, by=by, reason=reason)
    return _move_up(training_class, by=by) if was == EnrolmentState.ENROLLED else None


def _move(enrolment: Enrolment, after: EnrolmentState, *, by: Any, reason: str = "") -> None:
    EnrolmentMove.objects.create(enrolment=enrolment, before=enrolment.state, after=after, by=by, reason=reason)
    enrolment.state, enrolment.since = after, timezone.now()
    enrolment.save(update_fields=["state", "since"])


def _move_up(training_class: TrainingClass, *, by: Any) -> Enrolment | None:
    """The first of the queue who still may gets the free place."""
    if training_class.enrolments.enrolled().count() >= training_class.capacity:
        return None
    queue = training_class.enrolments.waiting().filter(participation__state__in=MAY_ENROL)
    following = queue.select_related("participation__trainee").first()
    if following is not None:
        _move(following, EnrolmentState.ENROLLED, by=by, reason=_("A place became free."))
        if following.participation.state == ParticipationState.ADMITTED:
            start_training([following.participation], by=by)
    return following


@transaction.atomic
def transfer(enrolment: Enrolment, *, to: TrainingClass, by: Any, reason: str) -> Enrolment:
    """Move somebody to another class: of the same cohort, or of one in which the person takes part too.

    Hours hang on the participation, so within a cohort nothing has to be carried. To another cohort the minutes are
    carried day by day; carrying again adds nothing twice.
    """
    enrolment = Enrolment.objects.select_related("participation__trainee", "training_class").get(pk=enrolment.pk)
    before = enrolment.participation
    after = before
    if to.cohort_id != before.cohort_id:
        found = Participation.objects.filter(trainee=before.trainee, cohort=to.cohort_id).select_related("trainee")
        other = found.first()
        if other is None:
            raise RuleBroken(
                _("%(name)s does not take part in %(cohort)s yet. Nominate and admit them there first.")
                % {"name": before.trainee.name, "cohort": to.cohort}
            )
        after = other
    leave_class(enrolment, by=by, reason=reason)
    enrol([after], training_class=to, by=by)
    if after.pk != before.pk:
        carry_training(before, to=after)
    return to.enrolments.get(participation=after)


def carry_training(participation: Participation, *, to: Participation) -> int:
    """Write the minutes of a participation, by day and kind, to the credit of another one of the same person."""
    if participation.trainee_id != to.trainee_id:
        raise RuleBroken(_("Hours are carried between participations of one person only."))
    taught = Taught.objects.filter(participation=participation).exclude(source=TaughtSource.CARRIED)
    earlier = participation.carried.exclude(came_from=to)  # what came from there does not travel back
    lessons = [
        *(
            (kind, on, day is not None, n)
            for kind, on, day, n in taught.values_list("kind", "on", "training_day", "minutes")
        ),
        *earlier.values_list("kind", "on", "is_training_day", "minutes"),
    ]
    sums: dict[tuple[str, date, bool], int] = {}
    for kind, on, is_day, minutes in lessons:
        sums[kind, on, is_day] = sums.get((kind, on, is_day), 0) + minutes
    rows = [
        CarriedTraining(
            participation=to, came_from=participation, kind=kind, on=on, is_training_day=is_day, minutes=minutes
        )
        for (kind, on, is_day), minutes in sums.items()
    ]
    CarriedTraining.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["participation", "came_from", "kind", "on", "is_training_day"],
        update_fields=["minutes"],
    )
    return len(rows)

"""The only writers of assessments: what is examined, works handed in, marks, resits, and appeals.

Marks once recorded are changed in two ways only. Whoever gave them corrects a slip, with a reason that is kept
(``MarksChange``); or the trainee appeals and another person marks again, and that counts, higher or lower.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.choices import AssessmentKind, EnrolmentState
from courses.models import Assessment, Attempt, Enrolment, MarksChange, TrainingClass
from courses.services.graduation import question_graduations
from incubator.common.dates import moment
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.models import Participation

# What marks rest on; fixed as soon as somebody is marked. The title and the day it is due can be corrected later.
RESTED_ON = ("kind", "full_marks", "pass_marks", "is_required", "most_attempts")
SAID = ("title", *RESTED_ON, "due_at")
MOST_NAMED = 3

_is_web_address = URLValidator(schemes=["http", "https"])

# --- What is examined -------------------------------------------------------------------------------------------------


@transaction.atomic
def add_assessment(training_class: TrainingClass, *, by: Any, **said: Any) -> Assessment:
    """Plan an assessment of a class; ``said`` are fields of ``SAID`` (at least the title).

    Graduations of this class that a required one leaves without a pass are questioned.
    """
    assessment = Assessment(training_class=training_class, **said)
    _write(assessment)
    if assessment.is_required:
        _question(_enrolled(training_class.pk), _("An assessment was added: %(title)s."), assessment)
    return assessment


@transaction.atomic
def change_assessment(assessment: Assessment, *, by: Any, **said: Any) -> Assessment:
    """Change an assessment; once somebody is marked only what no marks rest on, the title and when it is due."""
    assessment = _locked(assessment)
    changes = {name: value for name, value in said.items() if getattr(assessment, name) != value}
    if set(changes) & set(RESTED_ON) and assessment.attempts.exclude(marks=None).exists():
        raise RuleBroken(
            _("Somebody has been marked already: only the title and the time it is due can still be changed.")
        )
    for name, value in changes.items():
        setattr(assessment, name, value)
    _write(assessment)
    if "is_required" in changes:
        _question(_enrolled(assessment.training_class_id), _("An assessment was changed: %(title)s."), assessment)
    return assessment


def _write(assessment: Assessment) -> None:
    """Raises ``RuleBroken`` with the sentences of what is wrong."""
    try:
        assessment.full_clean()
    except ValidationError as error:
        raise RuleBroken(" ".join(error.messages)) from None
    assessment.save()


def _locked(assessment: Assessment) -> Assessment:
    """The row, until the transaction ends: marks and the line they are held against do not change at once."""
    rows = Assessment.objects.select_for_update(of=["self"], no_key=True).select_related("training_class")
    return rows.get(pk=assessment.pk)


def _enrolled(training_class_id: int) -> list[int]:
    rows = Enrolment.objects.enrolled().filter(training_class=training_class_id)
    return list(rows.values_list("participation_id", flat=True))


def _question(participation_ids: Iterable[int], sentence: str, assessment: Assessment) -> None:
    question_graduations(participation_ids, cause=sentence % {"title": assessment.title})


# --- Marks ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def record_marks(
    assessment: Assessment,
    *,
    marks: Mapping[int, Decimal | int | str],
    by: Any,
    number: int = 1,
    reason: str = "",
    at: datetime | None = None,
) -> int:
    """Mark people of a class: ``{participation id: marks}`` from 0 to the full marks, in tenths at the finest.

    ``number`` 1 is the first attempt; a further one is a resit of somebody who failed the one before. Returns how many
    were marked. Marks that stand there already are left; other ones correct them, which only their marker may do, with
    a ``reason`` that is kept, and not after an appeal. A constant number of queries for any number of people.
    """
    assessment, at = _locked(assessment), at or timezone.now()
    rows = {pk: require_marks(assessment, given) for pk, given in marks.items()}
    _require_enrolled(assessment, rows)
    attempts: dict[int, dict[int, Attempt]] = {}
    for attempt in assessment.attempts.filter(participation__in=rows).select_related("participation__trainee"):
        attempts.setdefault(attempt.participation_id, {})[attempt.number] = attempt
    _require_number(assessment, number, rows, attempts)
    known = {pk: attempts[pk][number] for pk in rows if number in attempts.get(pk, {})}
    changed = [a for pk, a in known.items() if a.marks is not None and a.marks != rows[pk]]
    _require_correction(changed, by, reason)
    MarksChange.objects.bulk_create(_change(was, rows[was.participation_id], by, reason, at) for was in changed)
    written = [
        Attempt(assessment=assessment, participation_id=pk, number=number, marks=given, marked_by=by, marked_at=at)
        for pk, given in rows.items()
        if pk not in known or known[pk].marks != given
    ]
    Attempt.objects.bulk_create(
        written,
        update_conflicts=True,
        unique_fields=["assessment", "participation", "number"],
        update_fields=["marks", "marked_by", "marked_at"],
    )
    if written:
        _question([row.participation_id for row in written], _("Marks were given or corrected: %(title)s."), assessment)
    return len(written)


def require_marks(assessment: Assessment, given: Decimal | int | str) -> Decimal:
    """The marks as a number; raises ``RuleBroken`` for what cannot be marks of this assessment."""
    marks = Decimal(given)
    if not marks.is_finite() or not 0 <= marks <= assessment.full_marks:
        raise RuleBroken(_("Marks are from 0 to %(full)s.") % {"full": assessment.full_marks})
    if marks != marks.quantize(Decimal("0.1")):
        raise RuleBroken(_("Marks have at most one decimal place."))
    return marks


def _require_enrolled(assessment: Assessment, people: Collection[int]) -> None:
    if strangers := set(people) - set(_enrolled(assessment.training_class_id)):
        raise RuleBroken(
            ngettext(
                "%(count)s person is not in this class.", "%(count)s people are not in this class.", len(strangers)
            )
            % {"count": len(strangers)}
        )


def _require_number(
    assessment: Assessment, number: int, people: Iterable[int], attempts: Mapping[int, Mapping[int, Attempt]]
) -> None:
    """A resit follows a failed attempt, and there are at most as many attempts as the assessment allows."""
    if not 1 <= number <= assessment.most_attempts:
        raise RuleBroken(
            ngettext(
                "This assessment can be attempted %(count)s time.",
                "This assessment can be attempted %(count)s times.",
                assessment.most_attempts,
            )
            % {"count": assessment.most_attempts}
        )
    if number == 1:
        return
    before = [attempts.get(pk, {}).get(number - 1) for pk in people]
    if any(attempt is None or attempt.final_marks is None for attempt in before):
        raise RuleBroken(_("A resit comes after an attempt that was marked."))
    if passed := [a for a in before if a is not None and a.is_passed]:
        raise RuleBroken(_("Has passed already, so there is nothing to resit: %(named)s.") % {"named": _named(passed)})


def _require_correction(changed: list[Attempt], by: Any, reason: str) -> None:
    """Marks that stand there are corrected by whoever gave them, before any appeal, and with a reason."""
    if not changed:
        return
    if appealed := [a for a in changed if a.appealed_at]:
        raise RuleBroken(
            _("Appealed against, so that only a second marker changes the marks: %(named)s.")
            % {"named": _named(appealed)}
        )
    if others := [a for a in changed if a.marked_by_id != by.pk]:
        raise RuleBroken(_("Marked by somebody else, who alone may correct it: %(named)s.") % {"named": _named(others)})
    if not reason.strip():
        raise RuleBroken(
            ngettext(
                "The marks of %(count)s person are recorded already and would change. Say why they are corrected.",
                "The marks of %(count)s people are recorded already and would change. Say why they are corrected.",
                len(changed),
            )
            % {"count": len(changed)}
        )


def _named(attempts: list[Attempt]) -> str:
    names = _(", ").join(attempt.participation.trainee.name for attempt in attempts[:MOST_NAMED])
    return names + (" …" if len(attempts) > MOST_NAMED else "")


def _change(was: Attempt, marks: Decimal, by: Any, reason: str, at: datetime) -> MarksChange:
    assert was.marks is not None and was.marked_at is not None  # noqa: S101 - only recorded marks are corrected
    return MarksChange(
        attempt=was,
        marks_before=was.marks,
        marked_at_before=was.marked_at,
        marks_after=marks,
        reason=reason.strip(),
        by=by,
        at=at,
    )


# --- Works handed in --------------------------------------------------------------------------------------------------


@transaction.atomic
def hand_in_work(
    assessment: Assessment, *, participation: Participation, link: str, by: Any, at: datetime | None = None
) -> Attempt:
    """Hand in the link to a published work: the first attempt, or the next one after one that failed.

    It may be replaced until it is marked. The first attempt keeps to the time the assessment is due; a resit has no
    time of its own. Raises ``RuleBroken`` for whoever is neither the trainee nor staff, for people outside the class,
    too late or too many attempts, and links that are no web addresses.
    """
    assessment, at = _locked(assessment), at or timezone.now()
    if assessment.kind != AssessmentKind.WORK:
        raise RuleBroken(_("Nothing is handed in for this assessment; it is held in the class."))
    if not by.is_staff:
        _require_self(participation, by)
    if not participation.enrolments.filter(
        training_class=assessment.training_class_id, state=EnrolmentState.ENROLLED
    ).exists():
        raise RuleBroken(_("Only people of the class hand in work for its assessments."))
    link = _require_link(link)
    attempts = list(assessment.attempts.filter(participation=participation).order_by("number"))
    number = number_to_hand_in(assessment, attempts, at=at)
    attempt, _is_new = Attempt.objects.update_or_create(
        assessment=assessment,
        participation=participation,
        number=number,
        defaults={"link": link, "handed_in_at": at},
    )
    return attempt


def number_to_hand_in(assessment: Assessment, attempts: Sequence[Attempt], *, at: datetime) -> int:
    """Which attempt a work handed in now belongs to; ``attempts`` are the person's by number.

    Raises ``RuleBroken`` where none can be handed in: too late, passed already, or all attempts made.
    """
    last = attempts[-1] if attempts else None
    if last is None or last.final_marks is None:
        number = last.number if last else 1
        if number == 1 and assessment.due_at and at > assessment.due_at:
            due = moment(assessment.due_at)
            raise RuleBroken(_("The work was due on %(moment)s. Ask the head teacher of your class.") % {"moment": due})
        return number
    if any(attempt.is_passed for attempt in attempts):
        raise RuleBroken(_("You have passed this assessment; nothing has to be handed in any more."))
    if last.number >= assessment.most_attempts:
        raise RuleBroken(_("All attempts at this assessment are used up."))
    return last.number + 1


def _require_link(link: str) -> str:
    link = link.strip()
    try:
        _is_web_address(link)
    except ValidationError:
        raise RuleBroken(
            _("This is no web address. Copy the link of your published video: it begins with https://.")
        ) from None
    most = Attempt._meta.get_field("link").max_length or 0
    if len(link) > most:
        raise RuleBroken(_("The link is longer than %(most)s characters. Copy the short link.") % {"most": most})
    return link


def _require_self(participation: Participation, by: Any) -> None:
    if by.pk is None or participation.trainee.user_id != by.pk:
        raise RuleBroken(_("Only the trainee can do this."))


# --- Appeals ----------------------------------------------------------------------------------------------------------


def may_appeal(attempt: Attempt, *, at: datetime) -> bool:
    """Whether the trainee can still ask for a second marker."""
    last_day = appeal_ends_on(attempt)
    return last_day is not None and attempt.appealed_at is None and timezone.localdate(at) <= last_day


def appeal_ends_on(attempt: Attempt) -> date | None:
    """The last day on which these marks may be appealed against; None while there are none."""
    if attempt.marked_at is None:
        return None
    return timezone.localdate(attempt.marked_at) + timedelta(days=settings.TRAINING_APPEAL_DAYS)


@transaction.atomic
def appeal(attempt: Attempt, *, reason: str, by: Any, at: datetime | None = None) -> Attempt:
    """The trainee asks for a second marker, once, until ``TRAINING_APPEAL_DAYS`` days after the marking."""
    attempt = Attempt.objects.select_for_update(of=["self"]).select_related("participation__trainee").get(pk=attempt.pk)
    at, reason = at or timezone.now(), reason.strip()
    _require_self(attempt.participation, by)
    last_day = appeal_ends_on(attempt)
    if last_day is None:
        raise RuleBroken(_("This has not been marked yet."))
    if attempt.appealed_at is not None:
        raise RuleBroken(_("You have appealed against these marks already; that can be done once."))
    if timezone.localdate(at) > last_day:
        day = date_format(last_day, "DATE_FORMAT")
        raise RuleBroken(_("These marks could be appealed against until %(day)s.") % {"day": day})
    if not reason:
        raise RuleBroken(_("Say why you appeal."))
    if len(reason) > (most := Attempt._meta.get_field("appeal_reason").max_length or 0):
        raise RuleBroken(_("The reason is longer than %(most)s characters.") % {"most": most})
    attempt.appealed_at, attempt.appeal_reason = at, reason
    attempt.save(update_fields=["appealed_at", "appeal_reason"])
    return attempt


@transaction.atomic
def mark_again(attempt: Attempt, *, marks: Decimal | int | str, by: Any, at: datetime | None = None) -> Attempt:
    """Another person marks what was appealed against, once. These marks count, higher or lower; the first are kept."""
    attempt = Attempt.objects.select_related("assessment", "participation__trainee").get(pk=attempt.pk)
    if attempt.appealed_at is None:
        raise RuleBroken(_("Nobody has appealed against these marks."))
    if attempt.marked_by_id == by.pk:
        raise RuleBroken(_("You gave these marks yourself: somebody else decides about the appeal."))
    given = require_marks(attempt.assessment, marks)
    changes = {"second_marks": given, "second_by": by, "second_at": at or timezone.now()}
    if not Attempt.objects.waiting_for_second_marker().filter(pk=attempt.pk).update(**changes):
        raise Stale(_("The appeal has been decided already."))
    _question([attempt.participation_id], _("An appeal was decided: %(title)s."), attempt.assessment)
    attempt.refresh_from_db()
    return attempt

"""The only writers of graduation: rules by version, decisions, and questions about them.

A decision is taken in SQL for any number of people: what a single person's graduation does, a cohort's does.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from courses.choices import Answer
from courses.models import (
    Graduation,
    GraduationDecision,
    GraduationQuestion,
    GraduationRule,
    TrainingClass,
)
from courses.queries import FACTS, RULE_NUMBERS, STANDINGS, TrainingStanding, training_standings
from courses.signals import graduation_taken_back, training_changed
from incubator.common.errors import RuleBroken, Stale
from incubator.programmes.bulk import graduate_people
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Cohort, Participation
from incubator.programmes.services import take_back_graduation

Overrides = Mapping[int, tuple[bool, str]]

CHOSEN = "SELECT unnest(%(people)s::bigint[]) AS id"
OF_COHORT = "SELECT id FROM programmes_participation WHERE cohort_id = %(cohort)s AND state = 'training'"
LOCK = "SELECT id FROM programmes_participation WHERE id IN ({who}) AND state = 'training' ORDER BY id FOR UPDATE"

# Who meets the rule graduates, unless somebody decided otherwise; nobody before the last day of their teaching.
GRADUATE = (
    STANDINGS
    + f"""
INSERT INTO courses_graduation (participation_id, decision_id, rule_id, graduated_on, is_override, reason,
    decided_by_id, decided_at, facts)
SELECT standing.id, %(decision)s, rule_id, %(on)s, other.id IS NOT NULL, coalesce(other.reason, ''), %(by)s, now(),
    {FACTS}
FROM standing
LEFT JOIN unnest(%(graduated)s::bigint[], %(graduated_why)s::text[]) AS other (id, reason)
    ON other.id = standing.id AND NOT is_enough
WHERE state = 'training' AND (is_enough OR other.id IS NOT NULL)
    AND standing.id <> ALL(%(kept)s::bigint[])
    AND coalesce(last_day <= %(on)s, true)
"""  # noqa: S608 - our own columns; every value is a parameter
)
KEEP_BACK = (
    STANDINGS
    + f"""
INSERT INTO courses_graduationhold (participation_id, decision_id, reason, facts)
SELECT standing.id, %(decision)s, other.reason, {FACTS}
FROM standing
JOIN unnest(%(kept)s::bigint[], %(kept_why)s::text[]) AS other (id, reason) ON other.id = standing.id
WHERE state = 'training' AND is_enough
"""  # noqa: S608 - as above
)
GRADUATED = "SELECT participation_id AS id FROM courses_graduation WHERE decision_id = %(decision)s"


# --- The rule ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def set_graduation_rule(cohort: Cohort, *, by: Any, note: str = "", **numbers: Any) -> GraduationRule:
    """Give a cohort its first rule or the next version, which says what the present one does but for ``numbers``.

    Graduations keep the version they rested on. Raises ``RuleBroken`` when nothing would change.
    """
    Cohort.objects.select_for_update().get(pk=cohort.pk)
    now = cohort.graduation_rules.current().first()
    said = {name: getattr(now, name) for name in RULE_NUMBERS} if now else {}
    if now and said == said | numbers:
        raise RuleBroken(_("Nothing is different from the present version."))
    cohort.graduation_rules.current().update(replaced_at=timezone.now())
    number = now.number + 1 if now else 1
    rule = GraduationRule(cohort=cohort, number=number, made_by=by, note=note, **(said | numbers))
    rule.full_clean(exclude=["cohort", "made_by"])
    rule.save()
    return rule


# --- Deciding ---------------------------------------------------------------------------------------------------------


def graduate(participation: Participation, *, on: date, by: Any) -> Graduation:
    """Decide that one person graduated; raises ``RuleBroken`` with what is missing."""
    return graduate_all([participation], on=on, by=by)[0]


@transaction.atomic
def graduate_all(participations: Iterable[Participation], *, on: date, by: Any) -> list[Graduation]:
    """Graduate people who meet their cohort's rule, all or none, and open their support periods on that day."""
    participations = list(participations)
    standings = training_standings(participations)
    for person in participations:
        _require_ready(person, standings.get(person.pk), on)
    graduations: list[Graduation] = []
    for cohort in {p.cohort_id: p.cohort for p in participations}.values():
        people = [p for p in participations if p.cohort_id == cohort.pk]
        decision = decide_graduation(people, cohort=cohort, on=on, by=by)
        graduations += decision.graduations.all()
        if len(graduations) < len(people):
            raise Stale(_("Somebody else has just changed one of these participations. Look again and repeat."))
    for person in participations:
        person.refresh_from_db()
    return graduations


def _require_ready(person: Participation, standing: TrainingStanding | None, on: date) -> None:
    name = person.trainee.name
    if person.state != ParticipationState.TRAINING:
        raise RuleBroken(
            _("%(name)s is “%(state)s”. Only people in training graduate.")
            % {"name": name, "state": person.get_state_display()}
        )
    if standing is None:
        raise RuleBroken(_("The cohort has no graduation rule yet. Enter one first."))
    if not standing.is_enough:
        missing = _(", ").join(standing.missing())
        raise RuleBroken(_("%(name)s cannot graduate yet: %(missing)s.") % {"name": name, "missing": missing})
    if standing.last_day is not None and standing.last_day > on:
        raise RuleBroken(_("%(name)s still has sessions after that day.") % {"name": name})


@transaction.atomic
def decide_graduation(
    people: Sequence[Participation] | None = None,
    *,
    cohort: Cohort,
    on: date,
    by: Any,
    training_class: TrainingClass | None = None,
    overrides: Overrides | None = None,
) -> GraduationDecision:
    """Graduate everybody of ``people`` (None: of the cohort) in training who meets the rule on a day.

    ``overrides`` decide against the proposal, ``{participation id: (graduates, why)}``: graduate who does not meet the
    rule, or keep back who does. Nobody graduates before the last day they were taught. Support periods open on that
    day. A constant number of statements, for one person and for a hundred thousand.
    Raises ``RuleBroken`` for an override without a reason or about somebody who is not decided about.
    """
    who, overrides = (OF_COHORT if people is None else CHOSEN), overrides or {}
    _require_reasons(people, overrides)
    if not cohort.graduation_rules.current().exists():
        raise RuleBroken(_("The cohort has no graduation rule yet. Enter one first."))
    decision = GraduationDecision.objects.create(training_class=training_class, cohort=cohort, on=on, by=by)
    graduated = {pk: why for pk, (graduates, why) in overrides.items() if graduates}
    kept = {pk: why for pk, (graduates, why) in overrides.items() if not graduates}
    params = {
        "people": [p.pk for p in people or ()],
        "cohort": cohort.pk,
        "decision": decision.pk,
        "on": on,
        "by": by.pk,
        "graduated": list(graduated),
        "graduated_why": list(graduated.values()),
        "kept": list(kept),
        "kept_why": list(kept.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(LOCK.format(who=who), params)
        cursor.execute(GRADUATE.format(who=who), params)
        if kept:
            cursor.execute(KEEP_BACK.format(who=who), params)
    graduate_people(GRADUATED, {"decision": decision.pk}, on=on, by=by)
    return decision


def _require_reasons(people: Sequence[Participation] | None, overrides: Overrides) -> None:
    if any(not why.strip() for _graduates, why in overrides.values()):
        raise RuleBroken(_("Say why you decide against the proposal."))
    if people is not None and set(overrides) - {p.pk for p in people}:
        raise RuleBroken(_("A decision was made about somebody who is not in this list."))


# --- Questions afterwards ---------------------------------------------------------------------------------------------


def question_graduations(participation_ids: Iterable[int], *, cause: str) -> int:
    """After a correction: ask about every graduation among these people whose figures no longer meet the rule.

    One whose figures meet it again is settled by itself. Graduations against the proposal were no matter of figures and
    are not asked about; nor is one asked about again with the figures under which it was upheld. Returns how many
    questions were opened. Nothing about the graduation itself changes. At most six queries.
    """
    participation_ids = list(participation_ids)
    training_changed.send(sender=None, participations=participation_ids)
    live = Graduation.objects.live().filter(participation__in=participation_ids, is_override=False)
    graduations = {g.participation_id: g for g in live.select_related("participation")}
    if not graduations:
        return 0
    standings = training_standings(g.participation for g in graduations.values())
    asked = GraduationQuestion.objects.filter(graduation__in=graduations.values()).order_by("pk")
    last = {question.graduation_id: question for question in asked}
    new, settled = [], []
    for pk, standing in standings.items():
        graduation, question = graduations[pk], last.get(graduations[pk].pk)
        is_open = question is not None and question.answer == ""
        if standing.is_enough:
            settled += [question.pk] if question is not None and is_open else []
        elif not is_open and not (question is not None and question.facts == standing.facts()):
            new.append(GraduationQuestion(graduation=graduation, cause=cause, facts=standing.facts()))
    GraduationQuestion.objects.bulk_create(new, ignore_conflicts=True)
    if settled:
        GraduationQuestion.objects.open().filter(pk__in=settled).update(
            answer=Answer.SETTLED, answered_at=timezone.now()
        )
    return len(new)


@transaction.atomic
def uphold_graduation(question: GraduationQuestion, *, by: Any, reason: str) -> GraduationQuestion:
    """The graduation stands although its figures changed, because …"""
    return _answer(question, Answer.UPHELD, by=by, reason=reason)


@transaction.atomic
def revoke_graduation(question: GraduationQuestion, *, by: Any, reason: str) -> GraduationQuestion:
    """The graduation is taken back: the person is in training again, and the decision stays on record.

    Raises ``RuleBroken`` when something above rests on it, such as an award.
    """
    question = _answer(question, Answer.REVOKED, by=by, reason=reason)
    graduation = question.graduation
    graduation_taken_back.send(sender=Graduation, participation=graduation.participation, by=by)
    take_back_graduation(graduation.participation, by=by, reason=reason)
    graduation.revoked_at = timezone.now()
    graduation.save(update_fields=["revoked_at"])
    return question


def _answer(question: GraduationQuestion, answer: Answer, *, by: Any, reason: str) -> GraduationQuestion:
    if not reason.strip():
        raise RuleBroken(_("Say why you decide so."))
    changes = {"answer": answer, "answered_by": by, "answered_at": timezone.now(), "reason": reason.strip()}
    if not GraduationQuestion.objects.open().filter(pk=question.pk).update(**changes):
        raise Stale(_("Somebody else has just answered this question."))
    return GraduationQuestion.objects.select_related("graduation__participation__trainee").get(pk=question.pk)

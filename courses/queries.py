"""Class hours, derived from what was taught; who meets the graduation rule, and what is missing.

Two tellings of one rule, both here: ``STANDINGS`` judges any number of people in one statement, ``TrainingStanding``
explains one of them. Tests hold them against each other and against an oracle.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from courses.choices import CLASS_HOUR_MINUTES, CourseKind
from courses.models import Graduation, GraduationRule
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation

KINDS = tuple(CourseKind.values)
A_TENTH = Decimal("0.1")


def class_hours(minutes: int | Decimal) -> Decimal:
    """Class hours of 45 minutes, full tenths only: what stands there as 16.0 hours is 16 hours.

    In SQL: ``trunc(minutes / 45.0, 1)``.
    """
    return (Decimal(minutes) / CLASS_HOUR_MINUTES).quantize(A_TENTH, ROUND_FLOOR)


def missing_hours(minutes: int | Decimal) -> Decimal:
    """Class hours that make up for so many minutes: rounded up, so that they are enough."""
    return (Decimal(minutes) / CLASS_HOUR_MINUTES).quantize(A_TENTH, ROUND_CEILING)


# --- The rule in SQL ----------------------------------------------------------------------------------------------

_MINUTES = ",\n        ".join(f"coalesce(sum(minutes) FILTER (WHERE kind = '{kind}'), 0) AS {kind}" for kind in KINDS)
_SUMS = ", ".join(f"sum({kind})::int AS {kind}" for kind in KINDS)
_TOTALS = ", ".join(f"coalesce(taught.{kind}, 0) AS {kind}" for kind in KINDS)
_COUNTED = " + ".join(f"least({kind}, {kind}_hours_cap * {CLASS_HOUR_MINUTES})" for kind in KINDS)
_ENOUGH_OF_EACH = " AND ".join(
    f"least({kind}, {kind}_hours_cap * {CLASS_HOUR_MINUTES}) >= min_{kind}_hours * {CLASS_HOUR_MINUTES}"
    for kind in KINDS
)
_RULE = ", ".join(
    f"rule.{field.column}" for field in GraduationRule._meta.concrete_fields if field.name not in ("id", "number")
)

# One row for each participation of {who} (a query of ids) whose cohort has a rule. A kind's minutes count to its cap;
# days are different days with teaching that makes a day; the share of attendance is of the minutes of the sessions of
# the classes somebody is in, and of those before they left of the classes they left; nothing was due means nothing is
# asked. An assessment is open until one attempt, by its final marks, reached the pass line.
STANDINGS = f"""
WITH who AS MATERIALIZED ({{who}}),
day AS (
    SELECT participation_id, training_day,
        coalesce(sum(minutes) FILTER (WHERE source = 'attendance'), 0) AS attended,
        {_MINUTES}
    FROM courses_taught WHERE participation_id IN (SELECT id FROM who)
    GROUP BY participation_id, training_day
),
taught AS (
    SELECT participation_id, count(training_day)::int AS days, max(training_day) AS last_day,
        sum(attended)::int AS attended, {_SUMS}
    FROM day GROUP BY participation_id
),
length AS (
    SELECT training_class_id, sum(extract(epoch FROM ends_at - starts_at) / 60)::int AS minutes
    FROM courses_session GROUP BY training_class_id
),
due AS (
    SELECT participation_id, sum(minutes)::int AS minutes FROM (
        SELECT enrolment.participation_id, length.minutes
        FROM courses_enrolment enrolment
        JOIN length ON length.training_class_id = enrolment.training_class_id
        WHERE enrolment.state = 'enrolled' AND enrolment.participation_id IN (SELECT id FROM who)
        UNION ALL
        SELECT enrolment.participation_id, (extract(epoch FROM session.ends_at - session.starts_at) / 60)::int
        FROM courses_enrolment enrolment
        JOIN courses_session session ON session.training_class_id = enrolment.training_class_id
        WHERE enrolment.state = 'left' AND session.starts_at < enrolment.since
            AND enrolment.participation_id IN (SELECT id FROM who)
    ) AS part GROUP BY participation_id
),
open AS (
    SELECT enrolment.participation_id, count(*)::int AS assessments
    FROM courses_enrolment enrolment
    JOIN courses_assessment assessment
        ON assessment.training_class_id = enrolment.training_class_id AND assessment.is_required
    WHERE enrolment.state = 'enrolled' AND enrolment.participation_id IN (SELECT id FROM who)
        AND NOT EXISTS (
            SELECT FROM courses_attempt attempt
            WHERE attempt.assessment_id = assessment.id AND attempt.participation_id = enrolment.participation_id
                AND coalesce(attempt.second_marks, attempt.marks) >= assessment.pass_marks
        )
    GROUP BY enrolment.participation_id
),
figure AS (
    SELECT participation.id, participation.state, rule.id AS rule_id, rule.number AS rule_number, {_RULE},
        coalesce(taught.days, 0) AS days, taught.last_day, coalesce(taught.attended, 0) AS attended,
        coalesce(due.minutes, 0) AS due, coalesce(open.assessments, 0) AS open_assessments, {_TOTALS}
    FROM who
    JOIN programmes_participation participation ON participation.id = who.id
    JOIN courses_graduationrule rule ON rule.cohort_id = participation.cohort_id AND rule.replaced_at IS NULL
    LEFT JOIN taught ON taught.participation_id = who.id
    LEFT JOIN due ON due.participation_id = who.id
    LEFT JOIN open ON open.participation_id = who.id
),
standing AS (
    SELECT *, {_COUNTED} AS counted,
        days >= min_days
        AND {_ENOUGH_OF_EACH}
        AND {_COUNTED} >= min_hours * {CLASS_HOUR_MINUTES}
        AND attended * 100 >= due * min_attendance_percent
        AND (open_assessments = 0 OR NOT needs_assessments) AS is_enough
    FROM figure
)
"""  # noqa: S608 - our own columns and constants; every value is a parameter
FIGURES = ("days", "last_day", *KINDS, "attended", "due", "open_assessments", "rule_id", "is_enough")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that is missing: what, how much there is and is needed, and the sentence for a person.

    ``have``, ``need`` and ``missing`` are days, class hours, per cent or assessments, as ``code`` says.
    """

    code: str
    have: Decimal
    need: Decimal
    missing: Decimal
    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True)
class TrainingStanding:
    """How far one participation is on the way to graduation. Minutes of each kind, of sessions attended, and due."""

    days: int
    last_day: date | None
    minutes: dict[str, int]
    attended: int
    due: int
    open_assessments: int
    rule: GraduationRule
    is_enough: bool

    # --- Minutes and hours ---

    def counted_minutes_of(self, kind: str) -> Decimal:
        cap: Decimal | None = getattr(self.rule, f"{kind}_hours_cap")
        minutes = Decimal(self.minutes[kind])
        return minutes if cap is None else min(minutes, cap * CLASS_HOUR_MINUTES)

    @property
    def counted_minutes(self) -> Decimal:
        return sum((self.counted_minutes_of(kind) for kind in KINDS), Decimal())

    @property
    def counted_hours(self) -> Decimal:
        """Hours that count: of each kind up to its cap."""
        return class_hours(self.counted_minutes)

    @property
    def general_minutes(self) -> int:
        return self.minutes[CourseKind.GENERAL]

    @property
    def professional_minutes(self) -> int:
        return self.minutes[CourseKind.PROFESSIONAL]

    @property
    def professional_hours(self) -> Decimal:
        return class_hours(self.counted_minutes_of(CourseKind.PROFESSIONAL))

    @property
    def attendance_percent(self) -> int | None:
        """Full per cent of the minutes due; None where nothing was due."""
        return self.attended * 100 // self.due if self.due else None

    # --- What is missing ---

    @property
    def missing_days(self) -> int:
        return max(0, self.rule.min_days - self.days)

    @property
    def missing_professional_hours(self) -> Decimal:
        return self._missing_of(CourseKind.PROFESSIONAL)

    def _missing_of(self, kind: str) -> Decimal:
        needed = getattr(self.rule, f"min_{kind}_hours") * CLASS_HOUR_MINUTES
        return missing_hours(max(Decimal(), needed - self.counted_minutes_of(kind)))

    def reasons(self) -> list[Reason]:
        """Why not? Empty when the rule is met: trainee, hotline and staff read the same."""
        return [reason for reason in (self._days(), *self._kinds(), self._total(), *self._others()) if reason]

    def missing(self) -> list[str]:
        """The sentences of ``reasons``."""
        return [reason.sentence for reason in self.reasons()]

    def _days(self) -> Reason | None:
        if not self.missing_days:
            return None
        sentence = ngettext("%(count)s more day of training", "%(count)s more days of training", self.missing_days)
        have, need, missing = Decimal(self.days), Decimal(self.rule.min_days), Decimal(self.missing_days)
        return Reason("days", have, need, missing, sentence % {"count": self.missing_days})

    def _kinds(self) -> Iterator[Reason]:
        sentences = {
            CourseKind.GENERAL: _("%(count)s more hours of general courses"),
            CourseKind.PROFESSIONAL: _("%(count)s more hours of professional courses"),
            CourseKind.PRACTICE: _("%(count)s more hours of practice"),
            CourseKind.VISIT: _("%(count)s more hours of visits"),
        }
        for kind, sentence in sentences.items():
            if missing := self._missing_of(kind):
                have, need = class_hours(self.counted_minutes_of(kind)), getattr(self.rule, f"min_{kind}_hours")
                yield Reason(f"{kind}_hours", have, need, missing, sentence % {"count": missing})

    def _total(self) -> Reason | None:
        missing = missing_hours(max(Decimal(), self.rule.min_hours * CLASS_HOUR_MINUTES - self.counted_minutes))
        if not missing:
            return None
        sentence = _("%(count)s more class hours that count") % {"count": missing}
        return Reason("hours", self.counted_hours, self.rule.min_hours, missing, sentence)

    def _others(self) -> Iterator[Reason]:
        needed = self.rule.min_attendance_percent
        if self.attended * 100 < self.due * needed:
            have = Decimal(self.attendance_percent or 0)
            sentence = _("attendance is %(have)s %%, %(need)s %% are needed") % {"have": have, "need": needed}
            missing = missing_hours(Decimal(self.due * needed) / 100 - self.attended)
            yield Reason("attendance", have, Decimal(needed), missing, sentence)
        if self.open_assessments and self.rule.needs_assessments:
            count = self.open_assessments
            sentence = ngettext("%(count)s assessment to pass", "%(count)s assessments to pass", count)
            yield Reason("assessments", Decimal(), Decimal(count), Decimal(count), sentence % {"count": count})

    def facts(self) -> dict[str, int | str | bool | None]:
        """The figures and the rule's numbers as plain values, to be kept with a decision. See also ``FACTS``."""
        facts: dict[str, Any] = {f"{kind}_minutes": minutes for kind, minutes in self.minutes.items()}
        for name in RULE_NUMBERS:
            value = getattr(self.rule, name)
            facts[name] = str(value) if isinstance(value, Decimal) else value
        return facts | {
            "days": self.days,
            "attended_minutes": self.attended,
            "due_minutes": self.due,
            "open_assessments": self.open_assessments,
            "counted_hours": str(self.counted_hours),
            "rule_number": self.rule.number,
            "is_enough": self.is_enough,
        }


RULE_NUMBERS = (
    "min_days",
    "min_hours",
    *[f"min_{kind}_hours" for kind in KINDS],
    *[f"{kind}_hours_cap" for kind in KINDS],
    "min_attendance_percent",
    "needs_assessments",
)

# ``TrainingStanding.facts`` over rows of ``standing``. Hours are kept as text, so that 16.0 stays 16.0.
FACTS = (
    "jsonb_build_object("
    + ", ".join(
        [
            *[f"'{kind}_minutes', {kind}" for kind in KINDS],
            *[f"'{name}', {name}::text" if "hours" in name else f"'{name}', {name}" for name in RULE_NUMBERS],
            "'days', days, 'attended_minutes', attended, 'due_minutes', due, 'open_assessments', open_assessments",
            f"'counted_hours', trunc(counted / {CLASS_HOUR_MINUTES}.0, 1)::text",
            "'rule_number', rule_number, 'is_enough', is_enough",
        ]
    )
    + ")"
)


def training_standings(participations: Iterable[Participation]) -> dict[int, TrainingStanding]:
    """Standing by participation id, two queries for any number. Cohorts without a rule are left out."""
    return standings_among("SELECT unnest(%s::bigint[]) AS id", [[p.pk for p in participations]])


def standings_among(who: str, params: Any) -> dict[int, TrainingStanding]:
    """The same of the participations whose ids the query ``who`` gives, in a column named ``id``."""
    with connection.cursor() as cursor:
        cursor.execute(f"{STANDINGS.format(who=who)} SELECT id, {', '.join(FIGURES)} FROM standing", params)  # noqa: S608
        rows = cursor.fetchall()
    rules = GraduationRule.objects.in_bulk({row[1 + FIGURES.index("rule_id")] for row in rows})
    return {row[0]: _standing(dict(zip(FIGURES, row[1:], strict=True)), rules) for row in rows}


def _standing(figures: dict[str, Any], rules: dict[int, GraduationRule]) -> TrainingStanding:
    return TrainingStanding(
        days=figures["days"],
        last_day=figures["last_day"],
        minutes={kind: figures[kind] for kind in KINDS},
        attended=figures["attended"],
        due=figures["due"],
        open_assessments=figures["open_assessments"],
        rule=rules[figures["rule_id"]],
        is_enough=figures["is_enough"],
    )


def live_graduation(participation: Participation) -> Graduation | None:
    """The graduation that holds, if somebody graduated and it was not taken back."""
    return Graduation.objects.live().filter(participation=participation).first()


def ready_to_graduate(participations: QuerySet[Participation]) -> QuerySet[Participation]:
    """Those of the participations who are in training and meet their cohort's rule."""
    training = participations.filter(state=ParticipationState.TRAINING)
    who, params = training.order_by().values("pk").query.sql_with_params()
    statement = STANDINGS.format(who=f"SELECT chosen.id FROM ({who}) AS chosen (id)")  # noqa: S608 - Django's own SQL
    ready = RawSQL(f"{statement} SELECT id FROM standing WHERE is_enough", params)  # noqa: S608, S611
    return training.filter(pk__in=ready)

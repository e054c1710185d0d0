"""What people thought of classes and courses. With fewer than ``FEWEST_SHOWN`` answers one could guess whose they are:
then nothing is told but their number.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db.models import Count, QuerySet

from courses.models import Course, SatisfactionAnswer, SatisfactionCourseScore, TrainingClass
from courses.models.satisfaction import FEWEST_SHOWN, QUESTIONS, SCORES

LABELS = {field.name: field.verbose_name for field in SatisfactionAnswer._meta.fields if field.name in QUESTIONS}


@dataclass(frozen=True, slots=True)
class Result:
    """Scores of one question or course. ``counts`` are answers by score, from 1 to 5; hidden ones have none."""

    label: Any
    count: int
    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, label: Any, scores: Counter[int]) -> "Result":
        count = scores.total()
        return cls(label, count, tuple(scores[score] for score in SCORES) if count >= FEWEST_SHOWN else ())

    @property
    def is_shown(self) -> bool:
        return bool(self.counts)

    @property
    def average(self) -> Decimal | None:
        """To two places; None while hidden."""
        if not self.counts:
            return None
        total = sum(score * count for score, count in zip(SCORES, self.counts, strict=True))
        return (Decimal(total) / self.count).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """What the people of a class thought: of how many ``asked``, by question, by course, and their remarks."""

    count: int = 0
    asked: int = 0
    questions: Sequence[Result] = ()
    courses: Sequence[Result] = ()
    remarks: Sequence[str] = field(default_factory=list)

    @property
    def is_shown(self) -> bool:
        return self.count >= FEWEST_SHOWN


def satisfaction_of(classes: Iterable[TrainingClass]) -> dict[int, Satisfaction]:
    """By class id; three queries for any number. Remarks stand in the order of random keys: it says nothing."""
    ids = [training_class.pk for training_class in classes]
    asked = dict(
        TrainingClass.objects.filter(pk__in=ids, enrolments__state="enrolled")
        .values_list("pk")
        .annotate(people=Count("enrolments"))
    )
    answers: dict[int, list[Any]] = {pk: [] for pk in ids}
    for answer in SatisfactionAnswer.objects.filter(training_class__in=ids).order_by("pk"):
        answers[answer.training_class_id].append(answer)
    scores = SatisfactionCourseScore.objects.filter(answer__training_class__in=ids)
    by_course: dict[int, dict[str, Counter[int]]] = {pk: {} for pk in ids}
    for pk, title, score, count in (
        scores.values_list("answer__training_class", "course__current__title", "score")
        .annotate(count=Count("pk"))
        .order_by("course__code", "score")
    ):
        by_course[pk].setdefault(title, Counter())[score] += count
    return {pk: _satisfaction(answers[pk], asked.get(pk, 0), by_course[pk]) for pk in ids}


def _satisfaction(answers: list[Any], asked: int, by_course: dict[str, Counter[int]]) -> Satisfaction:
    if len(answers) < FEWEST_SHOWN:
        return Satisfaction(len(answers), asked)
    return Satisfaction(
        len(answers),
        asked,
        [Result.of(LABELS[name], Counter(getattr(answer, name) for answer in answers)) for name in QUESTIONS],
        [Result.of(title, scores) for title, scores in by_course.items()],
        [answer.remark for answer in answers if answer.remark],
    )


def satisfaction_with(courses: Iterable[Course], *, classes: QuerySet[TrainingClass]) -> dict[int, Result]:
    """By course id, of all ``classes`` together (those the person who asks may see); one query for any number."""
    chosen = {course.pk: course for course in courses}
    rows = (
        SatisfactionCourseScore.objects.filter(course__in=chosen, answer__training_class__in=classes.order_by())
        .values_list("course", "score")
        .annotate(count=Count("pk"))
        .order_by("course", "score")
    )
    scores: dict[int, Counter[int]] = {pk: Counter() for pk in chosen}
    for pk, score, count in rows:
        scores[pk][score] += count
    return {pk: Result.of(str(course), scores[pk]) for pk, course in chosen.items()}

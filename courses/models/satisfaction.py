"""What people thought of a class: who answered is known, what somebody answered is not."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.models.catalogue import Course
from courses.models.classes import Enrolment, TrainingClass

SCORES = range(1, 6)  # from poor to very good
QUESTIONS = ("teaching", "content", "organisation", "usefulness")
FEWEST_SHOWN = 5  # with fewer answers one could guess whose they are


def _score(text) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(text, validators=[MinValueValidator(1), MaxValueValidator(5)])


def _within(*names: str) -> Q:
    return Q(**{f"{name}__gte": 1 for name in names}, **{f"{name}__lte": 5 for name in names})


class SatisfactionTicket(models.Model):
    """Somebody filled in the form of their class. Nothing leads from here to the answer.

    Its key is random too: counted keys would tell in which order people answered.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="satisfaction_ticket")

    class Meta:
        verbose_name = _("satisfaction form filled in")
        verbose_name_plural = _("satisfaction forms filled in")

    def __str__(self) -> str:
        return str(self.enrolment)


class SatisfactionAnswer(models.Model):
    """One filled-in form, without a person, a time or an order: scores from 1 (poor) to 5 (very good)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="answers", verbose_name=_("class"))
    teaching = _score(_("teaching"))
    content = _score(_("content"))
    organisation = _score(_("organisation of the class"))
    usefulness = _score(_("usefulness"))
    remark = models.TextField(_("remark"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("satisfaction answer")
        verbose_name_plural = _("satisfaction answers")
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=_within(*QUESTIONS), name="satisfaction_is_from_1_to_5")]

    def __str__(self) -> str:
        return str(self.training_class)


class SatisfactionCourseScore(models.Model):
    """What one form said about one course of the class."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    answer = models.ForeignKey(SatisfactionAnswer, models.CASCADE, related_name="courses")
    course = models.ForeignKey(Course, models.PROTECT, related_name="+", verbose_name=_("course"))
    score = _score(_("score"))

    class Meta:
        verbose_name = _("satisfaction with a course")
        verbose_name_plural = _("satisfaction with courses")
        constraints = [
            models.UniqueConstraint(fields=["answer", "course"], name="one_score_per_answer_and_course"),
            models.CheckConstraint(condition=_within("score"), name="course_satisfaction_is_from_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.course} {self.score}"

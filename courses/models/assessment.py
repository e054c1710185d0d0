"""What people are examined in, and how they did."""

from decimal import Decimal
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from courses.choices import AssessmentKind
from courses.models.classes import TrainingClass
from courses.models.scoping import ClassScopedQuerySet
from incubator.programmes.models import Participation


class AssessmentQuerySet(ClassScopedQuerySet):
    region_path = "training_class__region"
    class_path = "training_class"


class Assessment(models.Model):
    """An examination, a practical test or a work to hand in, of one class."""

    training_class = models.ForeignKey(
        TrainingClass, models.PROTECT, related_name="assessments", verbose_name=_("class")
    )
    title = models.CharField(_("title"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10, choices=AssessmentKind, default=AssessmentKind.WRITTEN)
    full_marks = models.PositiveSmallIntegerField(_("full marks"), default=100)
    pass_marks = models.PositiveSmallIntegerField(_("pass line"), default=60)
    is_required = models.BooleanField(_("must be passed to graduate"), default=True)
    most_attempts = models.PositiveSmallIntegerField(_("attempts at most"), default=2)
    due_at = models.DateTimeField(_("due at"), null=True, blank=True)

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("assessment")
        verbose_name_plural = _("assessments")
        ordering = ["training_class", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["training_class", "title"], name="one_assessment_per_class_and_title"),
            models.CheckConstraint(
                condition=Q(pass_marks__gt=0, pass_marks__lte=F("full_marks")),
                name="pass_line_is_within_full_marks",
                violation_error_message=_("The pass line must be above 0 and at most the full marks."),
            ),
            models.CheckConstraint(condition=Q(most_attempts__gte=1), name="assessment_can_be_attempted"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.training_class})"


FINAL_MARKS = Coalesce("second_marks", "marks")


class AttemptQuerySet(ClassScopedQuerySet):
    region_path = "participation__trainee__county"
    class_path = "assessment__training_class"

    def passed(self) -> Self:
        """Marked, by the second marker where there was one, at the pass line or above."""
        return self.annotate(final=FINAL_MARKS).filter(final__gte=F("assessment__pass_marks"))

    def failed(self) -> Self:
        """Marked, and below the pass line."""
        return self.annotate(final=FINAL_MARKS).filter(final__lt=F("assessment__pass_marks"))

    def waiting_for_second_marker(self) -> Self:
        return self.filter(appealed_at__isnull=False, second_marks=None)


class Attempt(models.Model):
    """One try of somebody at an assessment; the first, or a resit. On appeal a second person marks, and that counts."""

    assessment = models.ForeignKey(Assessment, models.PROTECT, related_name="attempts", verbose_name=_("assessment"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="attempts", verbose_name=_("participation")
    )
    number = models.PositiveSmallIntegerField(pgettext_lazy("of an attempt", "number"), default=1)
    link = models.URLField(_("link to the work"), max_length=300, blank=True)
    handed_in_at = models.DateTimeField(_("handed in at"), null=True, blank=True)
    marks = models.DecimalField(_("marks"), max_digits=5, decimal_places=1, null=True, blank=True)
    marked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=pgettext_lazy("assessment", "marked by"),
    )
    marked_at = models.DateTimeField(pgettext_lazy("assessment", "marked at"), null=True)
    appealed_at = models.DateTimeField(_("appealed at"), null=True)
    appeal_reason = models.CharField(_("why appealed"), max_length=300, blank=True)
    second_marks = models.DecimalField(_("marks on appeal"), max_digits=5, decimal_places=1, null=True, blank=True)
    second_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("second marker")
    )
    second_at = models.DateTimeField(_("marked again at"), null=True)

    objects = AttemptQuerySet.as_manager()

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = pgettext_lazy("assessment", "attempts")
        ordering = ["assessment", "participation", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["assessment", "participation", "number"], name="one_attempt_per_assessment_person_and_number"
            ),
            models.CheckConstraint(condition=Q(marks=None) | Q(marks__gte=0), name="marks_are_not_negative"),
            models.CheckConstraint(
                condition=Q(marks=None) | Q(marked_by__isnull=False, marked_at__isnull=False),
                name="marks_have_a_marker",
            ),
            models.CheckConstraint(
                condition=Q(second_marks=None)
                | (
                    Q(appealed_at__isnull=False, second_by__isnull=False, second_marks__gte=0, marks__isnull=False)
                    & ~Q(second_by=F("marked_by"))
                ),
                name="another_person_marks_an_appeal",
                violation_error_message=_("An appeal is marked by somebody other than the first marker."),
            ),
            models.CheckConstraint(
                condition=Q(appealed_at=None) | (Q(marks__isnull=False) & ~Q(appeal_reason="")),
                name="appeal_is_of_marks_and_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assessment} {self.participation} {self.number}"

    @property
    def final_marks(self) -> Decimal | None:
        """The second marker's where there was one; None while nobody has marked."""
        return self.marks if self.second_marks is None else self.second_marks

    @property
    def is_passed(self) -> bool | None:
        """None while nobody has marked. The same in SQL: ``AttemptQuerySet.passed``."""
        return None if self.final_marks is None else self.final_marks >= self.assessment.pass_marks

    @property
    def waits_for_second_marker(self) -> bool:
        return self.appealed_at is not None and self.second_marks is None


class MarksChange(models.Model):
    """Marks before their marker corrected them, with what they became and why. Only ever added to."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="changes", verbose_name=_("attempt"))
    marks_before = models.DecimalField(_("marks before"), max_digits=5, decimal_places=1)
    marked_at_before = models.DateTimeField(_("marked at before"))
    marks_after = models.DecimalField(_("marks after"), max_digits=5, decimal_places=1)
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("correction of marks")
        verbose_name_plural = _("corrections of marks")
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=~Q(reason=""), name="correction_of_marks_says_why")]

    def __str__(self) -> str:
        return f"{self.marks_before} → {self.marks_after}"

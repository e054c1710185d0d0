"""Class hours, derived from attendance; who meets the graduation rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils.translation import gettext as _

from courses.choices import CLASS_HOUR_MINUTES, AttendanceState, CourseKind
from courses.models import Attendance, GraduationRule
from incubator.programmes.models import Participation


def class_hours(minutes: int) -> Decimal:
    """Class hours of 45 minutes, to one decimal."""
    return (Decimal(minutes) / CLASS_HOUR_MINUTES).quantize(Decimal("0.1"))


def _attended(participation_ref: str = "pk"):
    return Attendance.objects.filter(
        participation=OuterRef(participation_ref), state=AttendanceState.PRESENT
    ).order_by()


def _sum_of(kind: str) -> Coalesce:
    minutes = (
        _attended().filter(session__course__kind=kind).values("participation").annotate(n=Sum("minutes")).values("n")
    )
    return Coalesce(Subquery(minutes, output_field=IntegerField()), 0)


def with_training(participations: QuerySet[Participation]) -> QuerySet[Participation]:
    """Annotate ``days`` (different days attended), ``general_minutes`` and ``professional_minutes``."""
    days = (
        _attended()
        .values("participation")
        .annotate(n=Count(TruncDate("session__starts_at"), distinct=True))
        .values("n")
    )
    return participations.annotate(
        days=Coalesce(Subquery(days, output_field=IntegerField()), 0),
        general_minutes=_sum_of(CourseKind.GENERAL),
        professional_minutes=_sum_of(CourseKind.PROFESSIONAL),
    )


def meets_graduation_rule_q() -> Q:
    """Over ``with_training`` rows: enough days and enough professional hours (both bounds count)."""
    rule = "cohort__graduation_rule__"
    return Q(days__gte=F(f"{rule}min_days")) & Q(
        professional_minutes__gte=F(f"{rule}min_professional_hours") * CLASS_HOUR_MINUTES
    )


@dataclass(frozen=True, slots=True)
class TrainingStanding:
    """How far one participation is on the way to graduation."""

    days: int
    general_minutes: int
    professional_minutes: int
    rule: GraduationRule

    @property
    def missing_days(self) -> int:
        return max(0, self.rule.min_days - self.days)

    @property
    def missing_professional_hours(self) -> Decimal:
        needed = self.rule.min_professional_hours * CLASS_HOUR_MINUTES
        return class_hours(max(0, needed - self.professional_minutes))

    @property
    def professional_hours(self) -> Decimal:
        return class_hours(self.professional_minutes)

    @property
    def counted_hours(self) -> Decimal:
        """Hours that count: general up to the cap, professional in full."""
        general = min(self.general_minutes, self.rule.general_hours_cap * CLASS_HOUR_MINUTES)
        return class_hours(general + self.professional_minutes)

    @property
    def is_enough(self) -> bool:
        needed = self.rule.min_professional_hours * CLASS_HOUR_MINUTES
        return self.days >= self.rule.min_days and self.professional_minutes >= needed

    def missing(self) -> list[str]:
        """Sentences that say what is missing; empty when nothing is."""
        sentences = []
        if self.missing_days:
            sentences.append(_("%(count)s more days of training") % {"count": self.missing_days})
        if self.professional_minutes < self.rule.min_professional_hours * CLASS_HOUR_MINUTES:
            sentences.append(
                _("%(count)s more hours of professional courses") % {"count": self.missing_professional_hours}
            )
        return sentences

    def facts(self) -> dict[str, int | str]:
        return {
            "days": self.days,
            "general_minutes": self.general_minutes,
            "professional_minutes": self.professional_minutes,
            "counted_hours": str(self.counted_hours),
            "min_days": self.rule.min_days,
            "general_hours_cap": self.rule.general_hours_cap,
            "min_professional_hours": self.rule.min_professional_hours,
        }


def training_standings(participations: Iterable[Participation]) -> dict[int, TrainingStanding]:
    """Standing by participation id, two queries for any number. Cohorts without a rule are left out."""
    ids = [p.pk for p in participations]
    rows = with_training(Participation.objects.filter(pk__in=ids)).select_related("cohort__graduation_rule")
    return {
        row.pk: TrainingStanding(
            row.days,  # type: ignore[attr-defined]
            row.general_minutes,  # type: ignore[attr-defined]
            row.professional_minutes,  # type: ignore[attr-defined]
            row.cohort.graduation_rule,
        )
        for row in rows.exclude(cohort__graduation_rule=None)
    }

"""Teaching that no session of this cohort's classes gave, and the one view of all teaching."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from courses.choices import CourseKind, TaughtSource
from courses.models.catalogue import CourseVersion
from courses.models.classes import TrainingClass
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet

MINUTES_A_DAY = 24 * 60


class LearningRecordQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class LearningRecord(models.Model):
    """A course somebody finished on a learning platform. However often it is told, it is one row: the longest one.

    At most the course's own hours count, whatever the platform measured.
    """

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="learning_records", verbose_name=_("participation")
    )
    version = models.ForeignKey(CourseVersion, models.PROTECT, related_name="+", verbose_name=_("course"))
    minutes = models.PositiveIntegerField(_("minutes"))
    finished_at = models.DateTimeField(_("finished at"))
    origin = models.CharField(_("from"), max_length=60, blank=True, help_text=_("The import that told it."))
    told_at = models.DateTimeField(_("told at"), auto_now=True)

    objects = LearningRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("online learning record")
        verbose_name_plural = _("online learning records")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["participation", "version"], name="one_record_per_person_and_course"),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="learning_takes_minutes"),
        ]

    def __str__(self) -> str:
        return f"{self.participation} {self.version}"


class CarriedTraining(models.Model):
    """Minutes of a kind and day that came along when somebody was transferred from another cohort."""

    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="carried", verbose_name=_("participation")
    )
    came_from = models.ForeignKey(Participation, models.PROTECT, related_name="carried_on", verbose_name=_("from"))
    kind = models.CharField(_("kind"), max_length=15, choices=CourseKind)
    on = models.DateField(_("day"))
    is_training_day = models.BooleanField(_("counts as a day of training"))
    minutes = models.PositiveIntegerField(_("minutes"))

    class Meta:
        verbose_name = _("carried training")
        verbose_name_plural = _("carried training")
        ordering = ["on", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["participation", "came_from", "kind", "on", "is_training_day"], name="carried_once"
            ),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="carried_minutes_are_some"),
        ]

    def __str__(self) -> str:
        return f"{self.on} {self.get_kind_display()} {self.minutes}"


class TaughtQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Taught(models.Model):
    """Minutes somebody was taught, from attendance, online records and what was carried over: a view, not a table.

    This is the one source of class hours, by person, class, county or period. ``training_day`` is empty where minutes
    make no day of training (online learning). For figures of a county leave ``carried`` out: it counted where it was.
    """

    id = models.BigIntegerField(primary_key=True)
    participation = models.ForeignKey(Participation, models.DO_NOTHING, related_name="taught")
    training_class = models.ForeignKey(TrainingClass, models.DO_NOTHING, null=True, related_name="taught")
    version = models.ForeignKey(CourseVersion, models.DO_NOTHING, null=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=15, choices=CourseKind)
    on = models.DateField(_("day"))
    training_day = models.DateField(null=True)
    minutes = models.IntegerField(_("minutes"))
    source = models.CharField(_("from"), max_length=10, choices=TaughtSource)

    objects = TaughtQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "courses_taught"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.on} {self.get_kind_display()} {self.minutes}"

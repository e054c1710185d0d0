"""What somebody should look at before a badge is given, works noted as published, and who narrowly missed a number."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.choices import FlagKind, NearMissKind
from incubator.certification.models.rules import Rule
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet
from trainees.models import Trainee


class FlagQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"

    def open(self) -> Self:
        return self.filter(cleared_at=None)


class Flag(models.Model):
    """A doubt about the followers of an account on a day. Open until a person clears it and says why."""

    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="flags", verbose_name=_("account"))
    kind = models.CharField(_("what"), max_length=10, choices=FlagKind)
    day = models.DateField(_("day"))
    change = models.IntegerField(_("change of followers"), default=0)
    note = models.CharField(_("note"), max_length=300, blank=True)
    raised_at = models.DateTimeField(_("raised at"), auto_now_add=True)
    raised_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("raised by")
    )
    cleared_at = models.DateTimeField(_("cleared at"), null=True, editable=False)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("cleared by")
    )
    clearance = models.CharField(_("why it is cleared"), max_length=300, blank=True, editable=False)

    objects = FlagQuerySet.as_manager()

    class Meta:
        verbose_name = _("question about followers")
        verbose_name_plural = _("questions about followers")
        ordering = ["-day", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "kind", "day"], name="one_flag_per_account_kind_and_day"),
            models.CheckConstraint(
                condition=Q(cleared_at=None, clearance="")
                | Q(cleared_at__isnull=False, cleared_by__isnull=False) & ~Q(clearance=""),
                name="cleared_flags_say_by_whom_and_why",
            ),
            models.CheckConstraint(
                condition=~Q(kind=FlagKind.REPORTED) | Q(raised_by__isnull=False) & ~Q(note=""),
                name="reported_flags_say_by_whom_and_what",
            ),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(cleared_at=None), name="flag_open")]

    def __str__(self) -> str:
        return f"{self.account} {self.day} {self.get_kind_display()}"


class WorkQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"

    def counted(self) -> Self:
        return self.filter(taken_back_at=None)


class Work(models.Model):
    """A video or live stream that somebody saw published and noted. The platforms give no list of works to read."""

    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="works", verbose_name=_("trainee"))
    title = models.CharField(_("title"), max_length=100)
    address = models.URLField(_("address"), max_length=300)
    published_on = models.DateField(_("published on"))
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("noted by"))
    noted_at = models.DateTimeField(_("noted at"), auto_now_add=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, editable=False)
    taken_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("taken back by")
    )
    taken_back_why = models.CharField(_("why taken back"), max_length=200, blank=True, editable=False)

    objects = WorkQuerySet.as_manager()

    class Meta:
        verbose_name = _("published work")
        verbose_name_plural = _("published works")
        ordering = ["-published_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["trainee", "address"],
                condition=Q(taken_back_at=None),
                name="one_note_per_trainee_and_work",
                violation_error_message=_("This work is noted already."),
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at=None) | Q(taken_back_by__isnull=False) & ~Q(taken_back_why=""),
                name="works_taken_back_say_by_whom_and_why",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class NearMissQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"

    def open(self) -> Self:
        return self.filter(closed_at=None)


class NearMiss(models.Model):
    """Somebody whose period ended narrowly short of a rule's number. A person looks: bring a figure, extend, or close.

    It never leads to a badge by itself: the rule is met by readings and periods, or not at all.
    """

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="near_misses", verbose_name=_("rule"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="near_misses", verbose_name=_("participation")
    )
    kind = models.CharField(_("what"), max_length=10, choices=NearMissKind)
    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="+", verbose_name=_("account"))
    ended_on = models.DateField(_("last day"))
    best_day = models.DateField(_("day of the best reading"))
    best = models.PositiveIntegerField(_("best reading of the period"))
    after_day = models.DateField(_("first reading afterwards"), null=True)
    after = models.PositiveIntegerField(_("followers then"), null=True)
    found_on = models.DateField(_("found on"))
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("closed by")
    )
    closing = models.CharField(_("what was found"), max_length=300, blank=True, editable=False)

    objects = NearMissQuerySet.as_manager()

    class Meta:
        verbose_name = _("near miss")
        verbose_name_plural = _("near misses")
        ordering = ["-ended_on", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "participation"], name="one_near_miss_per_rule_and_participation"),
            models.CheckConstraint(
                condition=Q(closed_at=None) | ~Q(closing=""), name="closed_near_misses_say_what_was_found"
            ),
            models.CheckConstraint(condition=Q(best_day__lte=F("ended_on")), name="best_reading_is_of_the_period"),
        ]

    def __str__(self) -> str:
        return f"{self.participation} {self.rule}"

"""Forecasts, one a participation; what they are reckoned with, learned from history; and how often they came true."""

from datetime import date, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.models import Badge
from incubator.forecasts.choices import KINDS_OF_ACCOUNT, Band, NoForecast
from incubator.forecasts.method import BEYOND, HORIZONS, LEVELS
from incubator.metrics.models import CreatorAccount
from incubator.programmes.models import Participation
from incubator.regions.scoping import RegionScopedQuerySet


class ForecastQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Forecast(models.Model):
    """Where one participation in support stands and will stand, as of a day; one row, written anew every night.

    ``goal`` is the number of followers that decides next. Either there is a ``band``, or ``reason`` says why not; then
    nothing is said of pace and future. Of who has the number already nothing need be known but that. ``expected_on`` is
    the day by which the number is as likely reached as not, from ``reached_from`` to ``reached_until`` is the 80 %
    range; None is later than 60 days after ``read_on``.
    """

    participation = models.OneToOneField(
        Participation, models.CASCADE, related_name="forecast", verbose_name=_("participation")
    )
    as_of = models.DateField(_("as of"))
    account = models.ForeignKey(CreatorAccount, models.CASCADE, null=True, related_name="+", verbose_name=_("account"))
    badge = models.ForeignKey(Badge, models.CASCADE, related_name="+", verbose_name=_("badge"))
    goal = models.PositiveIntegerField(_("followers that decide"))
    read_on = models.DateField(_("read on"), null=True)
    followers = models.PositiveIntegerField(_("followers"), null=True)
    distance = models.PositiveIntegerField(_("followers missing"), null=True)
    support_ends_on = models.DateField(_("support until"))
    days_left = models.PositiveIntegerField(_("days left"))
    needed_per_day = models.PositiveIntegerField(_("needed a day"), null=True)
    pace = models.FloatField(_("gained a day, last 14 days"), null=True)
    restless = models.FloatField(null=True)
    group = models.PositiveSmallIntegerField(null=True)
    expected_on = models.DateField(_("expected on"), null=True)
    reached_from = models.DateField(_("reached from"), null=True)
    reached_until = models.DateField(_("reached until"), null=True)
    chance = models.FloatField(_("chance by the last day"), null=True)
    is_calibrated = models.BooleanField(_("range rests on enough history"), default=False)
    band = models.CharField(_("band"), max_length=15, choices=Band, blank=True)
    reason = models.CharField(_("why no forecast"), max_length=15, choices=NoForecast, blank=True)
    order = models.PositiveSmallIntegerField(editable=False)  # in which staff look, by ``choices.LOOKED_AT``

    objects = ForecastQuerySet.as_manager()

    class Meta:
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        ordering = ["order", "days_left", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    ~Q(band="")
                    & Q(reason="", chance__isnull=False, followers__isnull=False)
                    & (Q(pace__isnull=False) | Q(distance=0))
                )
                | (Q(band="", chance=None, pace=None, expected_on=None) & ~Q(reason="")),
                name="forecast_has_a_band_or_says_why_not",
            ),
            models.CheckConstraint(
                condition=Q(chance=None) | Q(chance__gte=0, chance__lte=1), name="chance_is_between_none_and_certain"
            ),
            models.CheckConstraint(
                condition=(Q(reached_from=None) | Q(expected_on=None) | Q(reached_from__lte=F("expected_on")))
                & (Q(expected_on=None) | Q(reached_until=None) | Q(expected_on__lte=F("reached_until"))),
                name="range_of_days_holds_the_expected_one",
            ),
            models.CheckConstraint(
                condition=Q(followers=None, distance=None, read_on=None)
                | Q(followers__isnull=False, distance__isnull=False, read_on__isnull=False),
                name="followers_that_are_not_known_are_missing_by_an_unknown_number",
            ),
        ]
        indexes = [models.Index(fields=["order", "days_left", "id"], name="forecast_worklist")]

    def __str__(self) -> str:
        return f"{self.participation.trainee} {self.as_of}"

    @property
    def is_reached(self) -> bool:
        return self.distance == 0

    @property
    def later_than(self) -> date | None:
        """The day after which no day is named; None where nothing is said at all."""
        return None if self.read_on is None or not self.band else self.read_on + timedelta(days=BEYOND)


class Calibration(models.Model):
    """Scores at ``method.LEVELS`` for one horizon and group, as learned on a day from what lay before it.

    ``coverage`` is what the 80 % range held of ``tested`` earlier forecasts of this horizon and group, each made with
    what was known on its own day.
    """

    fitted_on = models.DateField(_("learned on"))
    horizon = models.PositiveSmallIntegerField(_("days ahead"))
    group = models.PositiveSmallIntegerField(_("kind of account"), choices=KINDS_OF_ACCOUNT)
    scores = ArrayField(models.FloatField(), size=len(LEVELS))
    cases = models.PositiveIntegerField(_("cases learned from"))
    origins_from = models.DateField(_("from"), null=True)
    origins_until = models.DateField(_("until"), null=True)
    is_calibrated = models.BooleanField(_("rests on enough history"))
    tested = models.PositiveIntegerField(_("forecasts tested"))
    coverage = models.FloatField(_("share within the range"), null=True)

    class Meta:
        verbose_name = _("calibration")
        verbose_name_plural = _("calibrations")
        constraints = [
            models.UniqueConstraint(
                fields=["fitted_on", "horizon", "group"], name="one_calibration_per_day_horizon_and_group"
            ),
            models.CheckConstraint(condition=Q(horizon__in=HORIZONS), name="calibration_is_of_a_known_horizon"),
            models.CheckConstraint(
                condition=Q(tested=0, coverage=None) | Q(tested__gt=0, coverage__gte=0, coverage__lte=1),
                name="coverage_is_a_share_of_what_was_tested",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fitted_on} {self.horizon} {self.group}"


class BackTest(models.Model):
    """How forecasts of earlier days came true, by days ahead, as measured on a day over stored history.

    ``horizon`` 0 is the day of reaching the next number. Shares are of 1; errors of the followers on the day of the
    forecast, or days where the horizon is 0. Of ranges that rest on too little history only ``unproven`` counts.
    """

    measured_on = models.DateField(_("measured on"))
    horizon = models.PositiveSmallIntegerField(_("days ahead"))
    since = models.DateField(_("forecasts from"))
    until = models.DateField(_("until"))
    accounts = models.PositiveIntegerField(_("accounts"))
    cases = models.PositiveIntegerField(_("forecasts compared"))
    held = models.PositiveIntegerField(_("within the range of 80%"))
    median_error = models.FloatField(_("median error"), null=True)
    naive_error = models.FloatField(_("median error had the pace gone on"), null=True)
    unproven = models.PositiveIntegerField(_("forecasts on too little history"), default=0)
    unproven_held = models.PositiveIntegerField(_("of them within the range"), default=0)

    class Meta:
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")
        ordering = ["-measured_on", "horizon"]
        constraints = [
            models.UniqueConstraint(fields=["measured_on", "horizon"], name="one_back_test_per_day_and_horizon"),
            models.CheckConstraint(
                condition=Q(held__lte=F("cases"), unproven_held__lte=F("unproven")),
                name="no_more_is_held_than_was_compared",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measured_on} {self.horizon}"

    @property
    def coverage(self) -> float | None:
        """The share of the forecasts that was held, of 1; None of none."""
        return self.held / self.cases if self.cases else None

    @property
    def unproven_coverage(self) -> float | None:
        return self.unproven_held / self.unproven if self.unproven else None

"""Creator accounts, the consent to read them, readings, and the runs that fetch them."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from incubator.common.encryption import BoundRows, EncryptedTextField
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.choices import (
    UNUSABLE,
    AccountState,
    AlarmKind,
    ConsentAct,
    ConsentReason,
    EventKind,
    Failure,
    Platform,
    QuarantineState,
    ReminderEnd,
    Source,
    Suspicion,
)
from incubator.regions.scoping import RegionScopedQuerySet, WholeCountryQuerySet
from trainees.models import Trainee

LOWEST_THRESHOLD = 10_000  # below this no rule looks; the index of crossings starts here


class CreatorAccountQuerySet(RegionScopedQuerySet):
    region_path = "trainee__county"

    def linked(self) -> Self:
        return self.filter(state=AccountState.LINKED)


class CreatorAccount(models.Model):
    """A trainee's account on a platform. ``handle`` is the 快手号 people know; the platform's own id is elsewhere."""

    trainee = models.ForeignKey(Trainee, models.PROTECT, related_name="accounts", verbose_name=_("trainee"))
    platform = models.CharField(_("platform"), max_length=10, choices=Platform, default=Platform.KUAISHOU)
    handle = models.CharField(_("account number"), max_length=60)
    state = models.CharField(
        _("state"), max_length=15, choices=AccountState, default=AccountState.UNLINKED, editable=False
    )

    objects = CreatorAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("creator account")
        verbose_name_plural = _("creator accounts")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["platform", "handle"],
                name="one_account_per_platform_and_handle",
                violation_error_message=_("This account belongs to a trainee already."),
            )
        ]
        indexes = [
            models.Index(OpClass(Lower("handle"), name="text_pattern_ops"), name="account_handle_folded"),
            models.Index(fields=["state", "trainee"], name="account_state"),
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.handle}"


class AuthorisationQuerySet(BoundRows, RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Authorisation(models.Model):
    """A creator's consent and the tokens to read the account. Tokens are encrypted and bound to the account.

    The refresh token is single use: ``claimed_until`` serialises its rotation, ``rotation`` counts it.
    """

    account = models.OneToOneField(
        CreatorAccount, models.PROTECT, primary_key=True, related_name="authorisation", verbose_name=_("account")
    )
    platform = models.CharField(max_length=10, choices=Platform, default=Platform.KUAISHOU, editable=False)
    external_id = models.CharField(_("platform's id"), max_length=200, editable=False)
    access_token = EncryptedTextField(bound=True)
    refresh_token = EncryptedTextField(bound=True)
    access_expires_at = models.DateTimeField(_("access until"), editable=False)
    refresh_expires_at = models.DateTimeField(_("consent until"), editable=False, db_index=True)
    scopes = ArrayField(models.CharField(max_length=60), default=list, editable=False)
    granted_at = models.DateTimeField(_("consented at"), editable=False)
    rotation = models.PositiveIntegerField(_("times refreshed"), default=0, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)

    objects = AuthorisationQuerySet.as_manager()

    class Meta:
        verbose_name = _("authorisation")
        verbose_name_plural = _("authorisations")
        constraints = [
            models.UniqueConstraint(fields=["platform", "external_id"], name="one_authorisation_per_external_id")
        ]

    def __str__(self) -> str:
        return str(self.account)


class ConsentRequest(models.Model):
    """A way to the platform's consent page and back: bound to who asked and in which session, used once, good for ten
    minutes. ``session`` is a digest of the session's secret, empty where staff assist and no browser comes back.
    """

    state = models.CharField(max_length=64, primary_key=True)
    account = models.ForeignKey(CreatorAccount, models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    session = models.CharField(max_length=64, blank=True, default="")
    asked_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.account)


class ConsentEventQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class ConsentEvent(models.Model):
    """What happened to the consent of an account, when, and by whom. Holds no token; never changed or deleted."""

    account = models.ForeignKey(
        CreatorAccount, models.PROTECT, related_name="consent_events", verbose_name=_("account")
    )
    what = models.CharField(_("what"), max_length=10, choices=ConsentAct)
    why = models.CharField(_("why"), max_length=15, choices=ConsentReason, blank=True)
    at = models.DateTimeField(_("at"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("by whom")
    )

    objects = ConsentEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of a consent")
        verbose_name_plural = _("events of consents")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.account}: {self.get_what_display()}"


class ConsentReminderQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"

    def open(self) -> Self:
        return self.filter(closed_at=None)


class ConsentReminder(models.Model):
    """That a consent ends on a day of China's calendar is told from ``stage`` days before, until it is true no more.

    ``made_at`` is later than ``due_on`` where the daily task was: then only the newest stage due is made.
    """

    account = models.ForeignKey(
        CreatorAccount, models.PROTECT, related_name="consent_reminders", verbose_name=_("account")
    )
    ends_on = models.DateField(_("consent until"))
    stage = models.PositiveSmallIntegerField(_("days before"))
    due_on = models.DateField(_("due on"))
    made_at = models.DateTimeField(_("made at"))
    seen_at = models.DateTimeField(_("first seen by the trainee"), null=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=ReminderEnd, blank=True)

    objects = ConsentReminderQuerySet.as_manager()

    class Meta:
        verbose_name = _("reminder of a consent's end")
        verbose_name_plural = _("reminders of consents' ends")
        ordering = ["-due_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "ends_on", "stage"], name="one_reminder_per_consent_and_stage"),
            models.CheckConstraint(
                condition=Q(closed_at=None, outcome="") | Q(closed_at__isnull=False) & ~Q(outcome=""),
                name="closed_reminder_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.ends_on} (-{self.stage})"


class RefreshRun(models.Model):
    """One platform's accounts read on one day. Its batches are jobs; what they wrote is counted, not kept twice."""

    platform = models.CharField(_("platform"), max_length=10, choices=Platform)
    day = models.DateField(_("day"))
    planned = models.PositiveIntegerField(_("accounts planned"), default=0)
    budget = models.PositiveIntegerField(_("calls allowed"), null=True, editable=False)
    reasons = models.JSONField(default=dict, editable=False)  # accounts planned, by why
    started_at = models.DateTimeField(_("started at"))
    # From the real clock to the one this run goes by: none but for demos, which replay past days.
    clock_shift = models.DurationField(default=timedelta, editable=False)
    stop_asked_at = models.DateTimeField(_("stopped at"), null=True, editable=False)
    error = models.CharField(_("why stopped"), max_length=300, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = WholeCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("refresh run")
        verbose_name_plural = _("refresh runs")
        ordering = ["-day", "platform"]
        constraints = [models.UniqueConstraint(fields=["platform", "day"], name="one_run_per_platform_and_day")]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.day}"

    @property
    def has_stopped(self) -> bool:
        """Not finished, and nothing of it is waiting or running any more."""
        return (
            self.finished_at is None
            and not self.batches.filter(job__state__in=(JobState.QUEUED, JobState.RUNNING)).exists()
        )


class RefreshBatch(models.Model):
    """Up to some hundred accounts of a run, done by one job."""

    run = models.ForeignKey(RefreshRun, models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    account_ids = ArrayField(models.BigIntegerField())
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="+")
    read = models.PositiveIntegerField(_("read"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    quarantined = models.PositiveIntegerField(_("held back"), default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("refresh batch")
        verbose_name_plural = _("refresh batches")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="one_batch_per_run_and_number")]

    def __str__(self) -> str:
        return f"{self.run} #{self.number}"


class ReadingQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Reading(models.Model):
    """Followers of one account on one day, as the platform told, with source and time of fetch.

    Partitioned by month; the key is ``(day, account)``: a day is written together and three times faster that way. The
    database does not check the two foreign keys row by row, the one statement that writes readings does: it takes
    accounts from their own table.
    """

    pk = models.CompositePrimaryKey("day", "account_id")
    day = models.DateField(_("day"))
    account = models.ForeignKey(
        CreatorAccount, models.PROTECT, related_name="readings", db_index=False, db_constraint=False
    )
    followers = models.PositiveIntegerField(_("followers"))
    following = models.PositiveIntegerField(_("following"), null=True)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.API)
    fetched_at = models.DateTimeField(_("fetched at"))
    run = models.ForeignKey(
        RefreshRun, models.PROTECT, null=True, related_name="readings", db_index=False, db_constraint=False
    )

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        indexes = [
            models.Index(
                fields=["account", "day"],
                include=["followers"],
                condition=Q(followers__gte=LOWEST_THRESHOLD),
                name="reading_over_threshold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.followers}"


class LatestReading(models.Model):
    """The newest reading of an account and the one before, so that lists and plans need not look through history.

    No index but the key, so that a night's update of every row stays in place. ``growth`` is followers a day,
    smoothed; None before the second reading. No reading is above ``peak``, so that who never had a number need not be
    looked for in a hundred million readings; a correction downwards leaves it.
    """

    account = models.OneToOneField(
        CreatorAccount, models.PROTECT, primary_key=True, related_name="latest", verbose_name=_("account")
    )
    day = models.DateField(_("day"))
    followers = models.PositiveIntegerField(_("followers"))
    fetched_at = models.DateTimeField(_("fetched at"))
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.API)
    previous_day = models.DateField(null=True)
    previous_followers = models.PositiveIntegerField(null=True)
    growth = models.FloatField(_("followers a day"), null=True)
    peak = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("latest reading")
        verbose_name_plural = _("latest readings")

    def __str__(self) -> str:
        return f"{self.followers} ({self.day})"


class CorrectionQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Correction(models.Model):
    """A reading that was replaced by a newer figure for the same day, with the value it had."""

    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="corrections", verbose_name=_("account"))
    day = models.DateField(_("day"))
    old_followers = models.PositiveIntegerField(_("followers before"))
    new_followers = models.PositiveIntegerField(_("followers after"))
    old_source = models.CharField(_("source before"), max_length=10, choices=Source)
    new_source = models.CharField(_("source after"), max_length=10, choices=Source)
    old_fetched_at = models.DateTimeField()
    new_fetched_at = models.DateTimeField(_("at"))

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name = _("corrected reading")
        verbose_name_plural = _("corrected readings")
        constraints = [
            models.UniqueConstraint(fields=["account", "day", "new_fetched_at"], name="one_correction_per_answer")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.old_followers} → {self.new_followers}"


class CrossingQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Crossing(models.Model):
    """An account whose reading of a day is at or above a threshold, and the one before was below it."""

    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="crossings", verbose_name=_("account"))
    threshold = models.PositiveIntegerField(_("threshold"))
    day = models.DateField(_("day"))
    followers = models.PositiveIntegerField(_("followers"))

    objects = CrossingQuerySet.as_manager()

    class Meta:
        verbose_name = _("threshold crossing")
        verbose_name_plural = _("threshold crossings")
        constraints = [
            models.UniqueConstraint(fields=["day", "threshold", "account"], name="one_crossing_per_day_and_threshold")
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.threshold} ({self.day})"


class QuarantinedReadingQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"

    def open(self) -> Self:
        return self.filter(state=QuarantineState.OPEN)

    def with_figure(self) -> Self:
        """Without the unusable answers, which hold nothing that could become a fact."""
        return self.filter(followers__isnull=False)


class QuarantinedReading(models.Model):
    """A figure too odd to be taken for a fact: not in the history until somebody, or the next day, confirms it.

    Or an answer without a usable one: then ``followers`` is None (never 0), ``told`` is what stood in its place, and
    the account's next reading closes the row. An account never read before has no last figure.
    """

    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="quarantined", verbose_name=_("account"))
    day = models.DateField(_("day"))
    followers = models.PositiveIntegerField(_("followers"), null=True)
    told = models.CharField(_("what the platform told"), max_length=30, blank=True)
    following = models.PositiveIntegerField(null=True)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    fetched_at = models.DateTimeField(_("fetched at"))
    run = models.ForeignKey(RefreshRun, models.PROTECT, null=True, related_name="quarantined")
    last_day = models.DateField(_("last read on"), null=True)
    last_followers = models.PositiveIntegerField(_("followers then"), null=True)
    why = models.CharField(_("why"), max_length=10, choices=Suspicion)
    state = models.CharField(
        _("state"), max_length=10, choices=QuarantineState, default=QuarantineState.OPEN, editable=False
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    remark = models.CharField(_("remark"), max_length=200, blank=True)

    objects = QuarantinedReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading held back")
        verbose_name_plural = _("readings held back")
        ordering = ["-day", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="one_held_back_per_account_and_day"),
            models.CheckConstraint(
                condition=Q(why__in=UNUSABLE, followers=None)
                | Q(followers__isnull=False, last_day__isnull=False, last_followers__isnull=False)
                & ~Q(why__in=UNUSABLE),
                name="odd_figures_are_figures_and_unusable_answers_none",
            ),
            models.CheckConstraint(
                condition=~Q(state=QuarantineState.ACCEPTED, followers=None), name="only_figures_are_accepted"
            ),
        ]
        indexes = [models.Index(fields=["account"], condition=Q(state="open"), name="held_back_open")]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: {self.answer}"

    @property
    def answer(self) -> str:
        """The figure, or what the platform told instead; a dash for nothing at all."""
        return self.told or "-" if self.followers is None else f"{self.followers:,}"


class SpikeQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Spike(models.Model):
    """A leap far beyond what the account usually gains in a day, for certification to look at."""

    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="spikes", verbose_name=_("account"))
    day = models.DateField(_("day"))
    gained = models.PositiveIntegerField(_("gained a day"))
    usual = models.FloatField(_("usually a day"))

    objects = SpikeQuerySet.as_manager()

    class Meta:
        verbose_name = _("leap of followers")
        verbose_name_plural = _("leaps of followers")
        ordering = ["-day", "pk"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="one_spike_per_account_and_day")]

    def __str__(self) -> str:
        return f"{self.account} {self.day}: +{self.gained}"


class PlatformEvent(models.Model):
    """Something the platform did to many accounts on one day, so that nobody blames the people for it."""

    platform = models.CharField(_("platform"), max_length=10, choices=Platform)
    day = models.DateField(_("day"))
    kind = models.CharField(_("what"), max_length=10, choices=EventKind)
    read = models.PositiveIntegerField(_("accounts compared"))
    hit = models.PositiveIntegerField(_("accounts hit"))
    lost = models.PositiveIntegerField(_("followers lost"))
    noticed_at = models.DateTimeField(_("noticed at"))

    objects = WholeCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("event of the platform")
        verbose_name_plural = _("events of the platform")
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["platform", "day", "kind"], name="one_event_per_platform_day_and_kind")
        ]

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.day} {self.get_kind_display()}"


class RegionDay(models.Model):
    """The followers of a region at the end of a day: counties, what they belong to, and ``000000`` for the country.

    An account counts with its last reading up to that day; a person with the largest of their accounts. Kept by the
    statement that writes readings, equal to what counting them anew would give (``reconcile`` checks).
    A day without a row is like the day before.
    """

    pk = models.CompositePrimaryKey("code", "day")
    code = models.CharField(_("region"), max_length=6)
    day = models.DateField(_("day"))
    accounts = models.IntegerField(_("accounts"))
    followers = models.BigIntegerField(_("followers"))
    people = ArrayField(models.IntegerField())  # by ``rollups.EDGES``
    read = models.IntegerField(_("accounts read"))
    compared = models.IntegerField(_("of them read before"))
    growth = models.BigIntegerField(_("gained since they were read before"))

    class Meta:
        verbose_name = _("day of a region")
        verbose_name_plural = _("days of regions")

    def __str__(self) -> str:
        return f"{self.code} {self.day}"


class RefreshFailureQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class RefreshFailure(models.Model):
    """Why an account got no reading in a run. Gone again once it is read."""

    run = models.ForeignKey(RefreshRun, models.PROTECT, related_name="failures")
    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="failures", verbose_name=_("account"))
    kind = models.CharField(_("why"), max_length=15, choices=Failure)
    code = models.CharField(_("platform's code"), max_length=20, blank=True)
    at = models.DateTimeField(_("at"))

    objects = RefreshFailureQuerySet.as_manager()

    class Meta:
        verbose_name = _("failed reading")
        verbose_name_plural = _("failed readings")
        constraints = [models.UniqueConstraint(fields=["run", "account"], name="one_failure_per_run_and_account")]

    def __str__(self) -> str:
        return f"{self.account} {self.get_kind_display()}"


class CallBudget(models.Model):
    """Calls spent on one platform's follower interface on one day. Spent before they are made, given back only where
    a call was certainly not made.
    """

    platform = models.CharField(max_length=10, choices=Platform)
    day = models.DateField()
    spent = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("calls of a day")
        verbose_name_plural = _("calls of a day")
        constraints = [models.UniqueConstraint(fields=["platform", "day"], name="one_budget_per_platform_and_day")]

    def __str__(self) -> str:
        return f"{self.platform} {self.day}: {self.spent}"


class AccountCalls(models.Model):
    """Calls spent on one account on one day, by the same rule."""

    pk = models.CompositePrimaryKey("day", "account_id")
    day = models.DateField()
    account = models.ForeignKey(CreatorAccount, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    calls = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("calls of an account")
        verbose_name_plural = _("calls of accounts")

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}: {self.calls}"


class AlarmQuerySet(WholeCountryQuerySet):
    def open(self) -> Self:
        return self.filter(cleared_at=None)


class Alarm(models.Model):
    """Something about freshness that somebody must know. Open until it is true no more.

    ``facts`` are plain values; ``freshness.sentence_of`` makes the sentence of them in the reader's language.
    """

    kind = models.CharField(_("what"), max_length=15, choices=AlarmKind)
    platform = models.CharField(_("platform"), max_length=10, choices=Platform, blank=True)
    facts = models.JSONField(default=dict, editable=False)
    raised_at = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen"))
    cleared_at = models.DateTimeField(_("over since"), null=True)

    objects = AlarmQuerySet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-raised_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "platform"], condition=Q(cleared_at=None), name="one_open_alarm_per_kind_and_platform"
            )
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.get_platform_display(), self.get_kind_display()]))


class FreshnessCheck(models.Model):
    """When freshness was last looked at: one row. Without it silence could mean that nobody looks."""

    checked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("check of freshness")
        verbose_name_plural = _("checks of freshness")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_row_tells_when_freshness_was_checked")]

    def __str__(self) -> str:
        return str(self.checked_at)

"""Creator accounts, the consent to read them, readings, and the runs that fetch them."""

from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.common.encryption import EncryptedTextField
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.metrics.choices import AccountState, Failure, Platform, Source
from incubator.regions.scoping import RegionScopedQuerySet, scope_of
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
        _("state"), max_length=15, choices=AccountState, default=AccountState.UNLINKED, editable=False, db_index=True
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

    def __str__(self) -> str:
        return f"{self.get_platform_display()} {self.handle}"


class AuthorisationQuerySet(RegionScopedQuerySet):
    region_path = "account__trainee__county"


class Authorisation(models.Model):
    """A creator's consent and the tokens to read the account. Tokens are encrypted.

    The refresh token is single use: ``claimed_until`` serialises its rotation, ``rotation`` counts it.
    """

    account = models.OneToOneField(
        CreatorAccount, models.PROTECT, primary_key=True, related_name="authorisation", verbose_name=_("account")
    )
    platform = models.CharField(max_length=10, choices=Platform, default=Platform.KUAISHOU, editable=False)
    external_id = models.CharField(_("platform's id"), max_length=200, editable=False)
    access_token = EncryptedTextField()
    refresh_token = EncryptedTextField()
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
    """A way to the platform's consent page and back: bound to who asked, used once, good for ten minutes."""

    state = models.CharField(max_length=64, primary_key=True)
    account = models.ForeignKey(CreatorAccount, models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    asked_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return str(self.account)


class RefreshRunQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """A run counts accounts of the whole country, so only those who see all of it see runs."""
        return self if scope_of(user).everything else self.none()

    def with_progress(self) -> Self:
        """Annotate ``read_so_far`` and ``failed_so_far``, counted from rows."""
        return self.annotate(
            read_so_far=models.Count("readings", distinct=True),
            failed_so_far=models.Count("failures", distinct=True),
        )


class RefreshRun(models.Model):
    """One platform's accounts read on one day. Its batches are jobs; what they wrote is counted, not kept twice."""

    platform = models.CharField(_("platform"), max_length=10, choices=Platform)
    day = models.DateField(_("day"))
    planned = models.PositiveIntegerField(_("accounts planned"), default=0)
    started_at = models.DateTimeField(_("started at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = RefreshRunQuerySet.as_manager()

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

    The key is ``(day, account)``: a day is written together and three times faster that way.
    """

    pk = models.CompositePrimaryKey("day", "account_id")
    day = models.DateField(_("day"))
    account = models.ForeignKey(CreatorAccount, models.PROTECT, related_name="readings", db_index=False)
    followers = models.PositiveIntegerField(_("followers"))
    following = models.PositiveIntegerField(_("following"), null=True)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.API)
    fetched_at = models.DateTimeField(_("fetched at"))
    run = models.ForeignKey(RefreshRun, models.PROTECT, null=True, related_name="readings", db_index=False)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        indexes = [
            models.Index(fields=["account", "day"], include=["followers"], name="reading_history"),
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
    """The newest reading of an account, so that lists need not look through history."""

    account = models.OneToOneField(
        CreatorAccount, models.PROTECT, primary_key=True, related_name="latest", verbose_name=_("account")
    )
    day = models.DateField(_("day"))
    followers = models.PositiveIntegerField(_("followers"), db_index=True)
    fetched_at = models.DateTimeField(_("fetched at"))

    class Meta:
        verbose_name = _("latest reading")
        verbose_name_plural = _("latest readings")

    def __str__(self) -> str:
        return f"{self.followers} ({self.day})"


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
    """Calls spent on one platform's follower interface on one day. Spent before they are made, never given back."""

    platform = models.CharField(max_length=10, choices=Platform)
    day = models.DateField()
    spent = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("calls of a day")
        verbose_name_plural = _("calls of a day")
        constraints = [models.UniqueConstraint(fields=["platform", "day"], name="one_budget_per_platform_and_day")]

    def __str__(self) -> str:
        return f"{self.platform} {self.day}: {self.spent}"

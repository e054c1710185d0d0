"""The job row: the truth about a piece of background work. The broker only carries its id."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.common.sealed_files import SealedFileField
from incubator.jobs.choices import LIVE, JobState


class JobQuerySet(models.QuerySet):
    def visible_to(self, user: Any) -> Self:
        """A superuser sees every job, everybody else what they asked for themselves."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        return self if user.is_superuser else self.filter(asked_by=user)

    def live(self) -> Self:
        return self.filter(state__in=LIVE)

    def lost(self, at) -> Self:
        """Running ones whose worker stopped renewing its lease, and waiting ones whose message went astray."""
        return self.filter(Q(state=JobState.RUNNING, lease_until__lt=at) | Q(state=JobState.QUEUED, resend_at__lt=at))


class Job(models.Model):
    """One piece of work. ``key`` names what it is about: of one kind and key only one is live at a time.

    ``done`` of ``total`` units (0 = not known yet); ``arguments`` holds ids and plain values, never personal data.
    """

    kind = models.CharField(_("kind"), max_length=60)
    key = models.CharField(_("key"), max_length=200)
    title = models.CharField(_("what"), max_length=200, blank=True)
    arguments = models.JSONField(default=dict, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=JobState, default=JobState.QUEUED, editable=False)
    done = models.PositiveIntegerField(_("done"), default=0, editable=False)
    total = models.PositiveIntegerField(_("of"), default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    max_attempts = models.PositiveSmallIntegerField(default=5, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    lease_owner = models.UUIDField(null=True, editable=False)
    resend_at = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    is_cancel_asked = models.BooleanField(default=False, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        verbose_name=_("asked by"),
    )
    error = models.TextField(_("error"), blank=True, editable=False)
    result = models.JSONField(_("result"), default=dict, editable=False)
    result_file = SealedFileField(_("file"), upload_to="results/%Y/%m/", blank=True, editable=False, bound=True)
    result_name = models.CharField(_("name of the file"), max_length=200, blank=True, editable=False)
    result_until = models.DateTimeField(_("file is kept until"), null=True, editable=False)
    created_at = models.DateTimeField(_("asked at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True, editable=False)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(state__in=LIVE), name="one_live_job_per_kind_and_key"
            ),
            models.CheckConstraint(condition=Q(total=0) | Q(done__lte=F("total")), name="job_does_no_more_than_all"),
        ]
        indexes = [
            models.Index(fields=["state", "lease_until"], condition=Q(state__in=LIVE), name="job_live"),
            models.Index(fields=["result_until"], condition=Q(result_until__isnull=False), name="job_result_until"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.kind} {self.key}"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE

    @property
    def percent(self) -> int | None:
        """0 to 100, or None while the amount of work is not known."""
        if self.state == JobState.DONE:
            return 100
        return self.done * 100 // self.total if self.total else None

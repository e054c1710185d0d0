"""Traffic pools, grants from them, and the ledger that says where every impression went."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.grants.choices import EntryKind, GrantState, SupportLevel
from incubator.programmes.models import Cohort, Participation
from incubator.regions.scoping import RegionScopedQuerySet


class TrafficPool(models.Model):
    """A budget of impressions. ``promised`` is what approved grants hold; the row is the limit and gets the lock."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    cohort = models.ForeignKey(
        Cohort, models.PROTECT, null=True, blank=True, related_name="pools", verbose_name=_("cohort")
    )
    impressions = models.PositiveBigIntegerField(_("impressions"))
    promised = models.PositiveBigIntegerField(_("impressions promised"), default=0, editable=False)

    class Meta:
        verbose_name = _("traffic pool")
        verbose_name_plural = _("traffic pools")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(promised__lte=F("impressions")),
                name="pool_never_promises_more_than_it_has",
                violation_error_message=_("The pool has promised more impressions than that already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def left(self) -> int:
        """Impressions that can still be promised."""
        return self.impressions - self.promised


class GrantQuerySet(RegionScopedQuerySet):
    region_path = "participation__trainee__county"


class Grant(models.Model):
    """Impressions from a pool for one participation."""

    pool = models.ForeignKey(TrafficPool, models.PROTECT, related_name="grants", verbose_name=_("pool"))
    participation = models.ForeignKey(
        Participation, models.PROTECT, related_name="grants", verbose_name=_("participation")
    )
    impressions = models.PositiveBigIntegerField(_("impressions"))
    level = models.CharField(_("level"), max_length=10, choices=SupportLevel, default=SupportLevel.FIRST)
    state = models.CharField(
        _("state"), max_length=10, choices=GrantState, default=GrantState.PROPOSED, editable=False, db_index=True
    )
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("proposed by")
    )
    proposed_on = models.DateField(_("proposed on"), editable=False)
    approved_on = models.DateField(_("approved on"), null=True, editable=False)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=Q(impressions__gt=0), name="grant_gives_something")]

    def __str__(self) -> str:
        return f"{self.participation.trainee.name} {self.impressions}"


class GrantMove(models.Model):
    """One change of a grant's state. Never changed."""

    grant = models.ForeignKey(Grant, models.PROTECT, related_name="moves")
    before = models.CharField(_("before"), max_length=10, choices=GrantState)
    after = models.CharField(_("after"), max_length=10, choices=GrantState)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    at = models.DateTimeField(_("at"), auto_now_add=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("change of state")
        verbose_name_plural = _("changes of state")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.get_before_display()} → {self.get_after_display()}"


class LedgerEntryQuerySet(RegionScopedQuerySet):
    region_path = "grant__participation__trainee__county"


class LedgerEntry(models.Model):
    """Impressions promised to a grant or given back to its pool. The database refuses to change or delete one."""

    pool = models.ForeignKey(TrafficPool, models.PROTECT, related_name="entries", verbose_name=_("pool"))
    grant = models.ForeignKey(Grant, models.PROTECT, related_name="entries", verbose_name=_("grant"))
    kind = models.CharField(_("kind"), max_length=10, choices=EntryKind)
    impressions = models.BigIntegerField(
        _("impressions"), help_text=_("Positive when promised, negative when given back.")
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))

    objects = LedgerEntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["grant", "kind"], name="one_entry_per_grant_and_kind"),
            models.CheckConstraint(
                condition=Q(kind=EntryKind.PROMISE, impressions__gt=0) | Q(kind=EntryKind.RETURN, impressions__lt=0),
                name="promises_are_positive_and_returns_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.impressions}"

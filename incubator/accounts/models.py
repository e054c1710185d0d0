"""Who logs in, and where they are posted."""

from datetime import date

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from incubator.accounts.choices import AccessKind, Role
from incubator.regions.models import Region
from incubator.regions.scoping import RegionScope, WholeCountryQuerySet


class User(AbstractUser):
    """A login: programme staff, an official, or a trainee. What it may see comes from its postings."""

    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.TRAINEE)
    display_name = models.CharField(pgettext_lazy("person", "name"), max_length=60, blank=True)

    class Meta(AbstractUser.Meta):
        verbose_name = _("user")  # type: ignore[assignment]
        verbose_name_plural = _("users")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.display_name or self.username

    @cached_property
    def _scope(self) -> RegionScope:
        postings = list(self.postings.filter(posted_q(timezone.localdate())).values_list("region__level", "region_id"))
        if any(code is None for _level, code in postings):
            return RegionScope(everything=True)
        return RegionScope.of(postings)

    def region_scope(self) -> RegionScope:
        """The regions of today's postings; read once per instance, that is once per request."""
        return self._scope


def posted_q(on: date, prefix: str = "") -> Q:
    """Postings that hold on that day, both end days included; no end means until further notice."""
    started = Q(**{f"{prefix}starts_on__lte": on})
    return started & (Q(**{f"{prefix}ends_on": None}) | Q(**{f"{prefix}ends_on__gte": on}))


class Posting(models.Model):
    """A user's region, from a day until a day. No region means the whole country, which has to be said on purpose."""

    user = models.ForeignKey(User, models.CASCADE, related_name="postings", verbose_name=_("user"))
    region = models.ForeignKey(
        Region, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("region")
    )
    is_whole_country = models.BooleanField(_("whole country"), default=False)
    starts_on = models.DateField(_("from"), default=timezone.localdate)
    ends_on = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        ordering = ["user", "starts_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(region=None, is_whole_country=True) | Q(region__isnull=False, is_whole_country=False),
                name="posting_names_a_region_or_the_whole_country",
                violation_error_message=_("Choose a region, or tick “whole country”, not both."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on")),
                name="posting_ends_after_it_starts",
                violation_error_message=_("The posting must not end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return str(_("whole country")) if self.region is None else self.region.name


class AccessRecord(models.Model):
    """Somebody saw or took personal data: who, when, which rows of what, and why. Only added to, and without values."""

    kind = models.CharField(_("what was done"), max_length=10, choices=AccessKind)
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("who"))
    at = models.DateTimeField(_("when"), auto_now_add=True)
    what = models.CharField(_("of what"), max_length=60, help_text=_("The model, such as trainees.trainee."))
    row = models.CharField(_("row"), max_length=40, blank=True, help_text=_("Its primary key, when it was one row."))
    fields = models.JSONField(_("fields"), default=list)
    count = models.PositiveIntegerField(_("rows"), default=1)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects = WholeCountryQuerySet.as_manager()

    class Meta:
        verbose_name = _("access to personal data")
        verbose_name_plural = _("accesses to personal data")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["what", "row"], name="access_what_row")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.what} {self.row}"

"""Badges, and versions of what they take."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incubator.metrics.models import LOWEST_THRESHOLD


class Badge(models.Model):
    """A title, such as 幸福乡村带头人."""

    code = models.SlugField(_("code"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    level = models.PositiveSmallIntegerField(_("level"), default=1)
    valid_days = models.PositiveIntegerField(
        _("valid for days"), null=True, blank=True, help_text=_("Empty: an award does not expire.")
    )

    class Meta:
        verbose_name = _("badge")
        verbose_name_plural = _("badges")
        ordering = ["level", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_days=None) | Q(valid_days__gte=1), name="badge_is_valid_for_a_day_or_more"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Rule(models.Model):
    """One version of what a badge takes: graduated, and that many followers on a day of the support period.

    Reaching the number counts; ``is_strict`` asks for more than it. A published version is never changed.
    """

    badge = models.ForeignKey(Badge, models.PROTECT, related_name="rules", verbose_name=_("badge"))
    version = models.PositiveSmallIntegerField(_("version"))
    followers = models.PositiveIntegerField(_("followers"), default=100_000)
    is_strict = models.BooleanField(_("more than the number"), default=False)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("certification rule")
        verbose_name_plural = _("certification rules")
        ordering = ["badge", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["badge", "version"], name="one_rule_per_badge_and_version"),
            models.CheckConstraint(
                condition=Q(followers__gte=LOWEST_THRESHOLD),
                name="rule_asks_for_at_least_the_lowest_threshold",
                violation_error_message=_("A rule asks for at least 10,000 followers."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.badge} v{self.version}"

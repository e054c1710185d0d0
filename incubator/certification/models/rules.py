"""Badges, and versions of what they take."""

from copy import deepcopy
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incubator.certification.conditions import SUPPORT_RULE, Followers, followers_in


def default_conditions() -> dict[str, Any]:
    """The programme's own: graduated, and 100,000 followers on a day of the support period."""
    return deepcopy(dict(SUPPORT_RULE))


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


class RuleQuerySet(models.QuerySet):
    def published(self) -> Self:
        return self.exclude(published_at=None)


class Rule(models.Model):
    """One version of what a badge takes. A published version is never changed (a trigger keeps that).

    ``conditions`` is a tree as ``certification.conditions`` describes it. It decides from ``valid_from`` to
    ``valid_until``, both included; empty means without such an end.
    """

    badge = models.ForeignKey(Badge, models.PROTECT, related_name="rules", verbose_name=_("badge"))
    version = models.PositiveSmallIntegerField(_("version"))
    conditions = models.JSONField(_("conditions"), default=default_conditions)
    valid_from = models.DateField(_("decides from"), null=True, blank=True)
    valid_until = models.DateField(_("decides until"), null=True, blank=True)
    note = models.CharField(_("what changed"), max_length=200, blank=True)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("published by"),
    )

    objects = RuleQuerySet.as_manager()

    class Meta:
        verbose_name = _("certification rule")
        verbose_name_plural = _("certification rules")
        ordering = ["badge", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["badge", "version"], name="one_rule_per_badge_and_version"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="rule_ends_after_it_begins",
                violation_error_message=_("The last day must not be before the first."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.badge} v{self.version}"

    @property
    def asked(self) -> Followers | None:
        """The first condition about followers: what people know the badge by. None where it asks for none."""
        return next(iter(followers_in(self.conditions)), None)

    @property
    def followers(self) -> int | None:
        """The number of followers that the badge is known by."""
        return self.asked.number if self.asked else None

    @property
    def least_followers(self) -> int | None:
        """The smallest number that meets it."""
        return self.asked.least if self.asked else None

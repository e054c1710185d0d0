"""Versions of rules: published, and which decide now."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.models import Rule
from incubator.common.errors import RuleBroken


@transaction.atomic
def publish_rule(rule: Rule, *, by: Any) -> Rule:
    """From now on this version decides; it can no longer be changed."""
    if not Rule.objects.filter(pk=rule.pk, published_at=None).update(published_at=timezone.now()):
        raise RuleBroken(_("This version is published already. Make a new version instead."))
    rule.refresh_from_db()
    return rule


def current_rules() -> list[Rule]:
    """The newest published version of each badge."""
    rules = Rule.objects.exclude(published_at=None).select_related("badge")
    return list(rules.order_by("badge_id", "-version").distinct("badge_id"))

"""Versions of rules: written, published, and which decide on a day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.conditions import checked
from incubator.certification.models import Badge, Rule
from incubator.common.errors import RuleBroken


@transaction.atomic
def draft_rule(badge: Badge, conditions: Mapping[str, Any], *, by: Any, note: str = "", **dates: date | None) -> Rule:
    """The badge's next version, not published yet. Raises ``RuleBroken`` for conditions that cannot be understood."""
    Badge.objects.select_for_update().get(pk=badge.pk)
    newest = badge.rules.order_by("-version").values_list("version", flat=True).first()
    return Rule.objects.create(
        badge=badge, version=(newest or 0) + 1, conditions=checked(conditions), note=note, **dates
    )


@transaction.atomic
def publish_rule(rule: Rule, *, by: Any) -> Rule:
    """From now on this version decides; it can no longer be changed."""
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    if rule.published_at is not None:
        raise RuleBroken(_("This version is published already. Make a new version instead."))
    if rule.conditions != checked(rule.conditions):
        raise RuleBroken(_("The conditions are not written as they are understood. Save the draft again."))
    if Rule.objects.published().filter(badge=rule.badge_id, version__gt=rule.version).exists():
        raise RuleBroken(_("A newer version of this badge is published already."))
    Rule.objects.filter(pk=rule.pk).update(published_at=timezone.now(), published_by=by)
    rule.refresh_from_db()
    return rule


def current_rules(on: date | None = None) -> list[Rule]:
    """The newest published version of each badge that decides on a day (today)."""
    on = on or timezone.localdate()
    begun = Q(valid_from=None) | Q(valid_from__lte=on)
    lasting = Q(valid_until=None) | Q(valid_until__gte=on)
    rules = Rule.objects.published().filter(begun & lasting).select_related("badge")
    return list(rules.order_by("badge_id", "-version").distinct("badge_id"))

"""Versions of rules: written, published, and which decide on a day."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.conditions import checked
from incubator.certification.models import Badge, Rehearsal, Rule
from incubator.common.errors import RuleBroken, Stale

VALID_FOR = timedelta(days=7)  # so long a rehearsal says what publishing does


@transaction.atomic
def draft_rule(badge: Badge, conditions: Mapping[str, Any], *, by: Any, note: str = "", **dates: date | None) -> Rule:
    """The badge's next version, not published yet. Raises ``RuleBroken`` for conditions that cannot be understood."""
    Badge.objects.select_for_update().get(pk=badge.pk)
    newest = badge.rules.order_by("-version").values_list("version", flat=True).first()
    return Rule.objects.create(
        badge=badge, version=(newest or 0) + 1, conditions=checked(conditions), note=note, **dates
    )


@transaction.atomic
def new_version(rule: Rule, *, by: Any) -> Rule:
    """A draft that says what this version says, to be changed."""
    note = _("From version %(version)d") % {"version": rule.version}
    return draft_rule(rule.badge, rule.conditions, by=by, note=note, valid_from=None, valid_until=None)


@transaction.atomic
def change_draft(
    rule: Rule,
    conditions: Mapping[str, Any],
    *,
    by: Any,
    note: str = "",
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Rule:
    """Write a draft anew. Raises ``RuleBroken`` for what cannot be understood, ``Stale`` when it was published."""
    if valid_from and valid_until and valid_until < valid_from:
        raise RuleBroken(_("The last day must not be before the first."))
    said = {"conditions": checked(conditions), "note": note, "valid_from": valid_from, "valid_until": valid_until}
    if not Rule.objects.filter(pk=rule.pk, published_at=None).update(**said):
        raise Stale(_("This version is published already. Make a new version instead."))
    rule.refresh_from_db()
    return rule


@transaction.atomic
def publish_rule(rule: Rule, *, by: Any) -> Rule:
    """From now on this version decides; it can no longer be changed.

    Raises ``RuleBroken`` unless exactly these conditions were rehearsed lately, against the version they replace.
    """
    rule = Rule.objects.select_for_update().get(pk=rule.pk)
    if rule.published_at is not None:
        raise RuleBroken(_("This version is published already. Make a new version instead."))
    if rule.conditions != checked(rule.conditions):
        raise RuleBroken(_("The conditions are not written as they are understood. Save the draft again."))
    if Rule.objects.published().filter(badge=rule.badge_id, version__gt=rule.version).exists():
        raise RuleBroken(_("A newer version of this badge is published already."))
    if rehearsal_to_publish(rule, at=timezone.now()) is None:
        raise RuleBroken(
            _(
                "Exactly these conditions were not rehearsed against the present version within the last %(days)d "
                "days. Rehearse the draft, look at who gains and who loses, then publish it."
            )
            % {"days": VALID_FOR.days}
        )
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


def present_version(rule: Rule, *, on: date) -> Rule | None:
    """The version of the rule's badge that decides on a day."""
    return next((one for one in current_rules(on) if one.badge_id == rule.badge_id), None)


def rehearsal_to_publish(rule: Rule, *, at: datetime) -> Rehearsal | None:
    """The newest rehearsal that still says what publishing does: of these conditions, against the version that decides
    now, and not older than ``VALID_FOR``.
    """
    against = present_version(rule, on=timezone.localdate(at))
    done = Rehearsal.objects.filter(rule=rule, conditions=rule.conditions, at__gte=at - VALID_FOR, against=against)
    return done.order_by("-pk").first()

"""Badges and the versions of their rules."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from incubator.certification.models import Badge, Rule
from incubator.certification.services import publish_rule
from incubator.common.desk import (
    Move,
    ScopedAdmin,
    number,
)


@admin.register(Badge)
class BadgeAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "code"]
    search_fields = ["name", "code"]


@admin.register(Rule)
class RuleAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["badge", "version", "followers", "is_strict", "published_at"]
    list_display_links = ["badge", "version"]
    list_filter = ["badge"]
    list_select_related = ["badge"]
    fields = [("badge", "version"), ("followers", "is_strict"), "published_at"]
    readonly_fields = ["published_at"]
    moves = [
        Move(
            "publish",
            _("Publish"),
            publish_rule,
            states=["draft"],
            state_of=lambda rule: "published" if rule.published_at else "draft",
            is_main=True,
        )
    ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A published version stays as it is: what it earned rests on it."""
        return (obj is None or obj.published_at is None) and super().has_change_permission(request, obj)


def rule_sentence(rule: Rule) -> str:
    sentence = (
        gettext("More than %(count)s followers on a day of the support period")
        if rule.is_strict
        else gettext("At least %(count)s followers on a day of the support period")
    )
    return sentence % {"count": number(rule.followers)}

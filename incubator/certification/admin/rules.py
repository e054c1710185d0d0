"""Badges and the versions of their rules."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incubator.certification.conditions import sentences
from incubator.certification.models import Badge, Rule
from incubator.certification.services import publish_rule
from incubator.common.desk import (
    Move,
    ScopedAdmin,
)


@admin.register(Badge)
class BadgeAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["name", "code"]
    search_fields = ["name", "code"]


@admin.register(Rule)
class RuleAdmin(ScopedAdmin):
    is_reference = True
    list_display = ["badge", "version", "asks_for", "valid_from", "valid_until", "published_at"]
    list_display_links = ["badge", "version"]
    list_filter = ["badge"]
    list_select_related = ["badge"]
    fields = [("badge", "version"), "conditions", ("valid_from", "valid_until"), "note", "published_at"]
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

    @display(description=_("asks for"))
    def asks_for(self, row: Rule) -> str:
        return rule_sentence(row)


def rule_sentence(rule: Rule) -> str:
    """The rule in one line."""
    return " · ".join(words for _depth, words in sentences(rule.conditions))

"""How the desk writes a rule: as nested sentences, and in one line."""

from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from incubator.certification.conditions import sentences
from incubator.certification.models import Rule


def reads(tree: Any) -> SafeString:
    """Conditions as sentences, nested as they belong together."""
    return SafeString(render_to_string("admin/certification/sentences.html", {"lines": sentences(tree)}))


def rule_sentence(rule: Rule) -> str:
    """The rule in one line."""
    return one_line(rule.conditions)


def one_line(tree: Any) -> str:
    """Conditions in one line: those that all are needed apart by dots, of the others at least one in brackets."""
    return _one_line(tree, is_outermost=True)


def _one_line(tree: Any, *, is_outermost: bool = False) -> str:
    if "kind" in tree:
        return sentences(tree)[0][1]
    join = "all" if "all" in tree else "any"
    words = " · " if join == "all" else gettext(" or ")
    said = words.join(_one_line(part) for part in tree[join])
    return said if is_outermost or len(tree[join]) == 1 else f"({said})"

"""What a rule takes, as data: a tree of conditions that is checked, read as sentences and compiled to SQL.

A tree is ``{"all": [node, …]}``, ``{"any": [node, …]}`` or one condition, ``{"kind": …}`` with what it needs:

- ``graduated``: graduated from the cohort, and the graduation stands;
- ``followers``: ``number``, ``strict`` (more than it, not just reaching it), ``held_days`` (1: on a day) and ``when``:
  within the ``support`` period, within the ``cohort``'s days, or ``ever``;
- ``class_hours``: ``number`` of class hours that count, in tenths;
- ``published``: ``number`` of works noted as published within the participation's days, from the cohort's first day;
- ``no_open_flag``: nobody waits for an answer about the followers of one of the person's accounts.

Every bound is met by reaching it unless ``strict``; every period includes both its ends. Accounts are not added up:
one account has the number, and it is the same one that holds it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incubator.certification.choices import ConditionKind, Window
from incubator.common.errors import RuleBroken
from incubator.metrics.models import LOWEST_THRESHOLD

Tree = Mapping[str, Any]

MOST_FOLLOWERS = 1_000_000_000
MOST_DAYS = 366
MOST_DEPTH = 4
# Days two readings of one run may lie apart: what was not looked at for longer was not held.
LONGEST_GAP = 7
FIELDS: dict[str, set[str]] = {
    ConditionKind.GRADUATED: set(),
    ConditionKind.FOLLOWERS: {"number", "strict", "held_days", "when"},
    ConditionKind.CLASS_HOURS: {"number"},
    ConditionKind.PUBLISHED: {"number"},
    ConditionKind.NO_OPEN_FLAG: set(),
}
SUPPORT_RULE: Tree = {
    "all": [
        {"kind": "graduated"},
        {"kind": "followers", "number": 100_000, "strict": False, "held_days": 1, "when": "support"},
    ]
}


@dataclass(frozen=True, slots=True)
class Followers:
    """The condition ``followers``: ``least`` is the smallest number that meets it."""

    number: int
    strict: bool
    held_days: int
    when: str

    @property
    def least(self) -> int:
        return self.number + self.strict


def leaves(tree: Tree) -> Iterator[Tree]:
    """The conditions of a tree, from left to right."""
    if "kind" in tree:
        yield tree
    else:
        for node in tree.get("all", tree.get("any", [])):
            yield from leaves(node)


def followers_of(node: Tree) -> Followers:
    return Followers(node["number"], node["strict"], node["held_days"], node["when"])


def followers_in(tree: Tree) -> list[Followers]:
    return [followers_of(node) for node in leaves(tree) if node["kind"] == ConditionKind.FOLLOWERS]


def asks_for_hours(tree: Tree) -> bool:
    return any(node["kind"] == ConditionKind.CLASS_HOURS for node in leaves(tree))


# --- Checked ----------------------------------------------------------------------------------------------------------


def checked(tree: Any) -> dict[str, Any]:
    """The tree with every number as a number. Raises ``RuleBroken`` that says what is wrong where."""
    clean = _checked(tree, (), 1)
    if not any(True for _leaf in leaves(clean)):
        raise RuleBroken(_("A rule needs a condition."))
    return clean


def _checked(node: Any, path: tuple[int, ...], depth: int) -> dict[str, Any]:
    where = ".".join(map(str, path)) or _("the rule")
    if not isinstance(node, Mapping) or len({"all", "any", "kind"} & set(node)) != 1:
        raise RuleBroken(_("At %(where)s: one condition, or “all” or “any” of some.") % {"where": where})
    if "kind" in node:
        return _checked_leaf(node, where)
    join = "all" if "all" in node else "any"
    some = node[join]
    if set(node) != {join} or not isinstance(some, list) or not some:
        raise RuleBroken(_("At %(where)s: “all” and “any” need one condition or more.") % {"where": where})
    if depth > MOST_DEPTH:
        raise RuleBroken(_("At %(where)s: conditions are nested too deeply to be read.") % {"where": where})
    return {join: [_checked(child, (*path, place), depth + 1) for place, child in enumerate(some, 1)]}


def _checked_leaf(node: Mapping[str, Any], where: str) -> dict[str, Any]:
    kind = node["kind"]
    if kind not in FIELDS or set(node) - {"kind"} != FIELDS[kind]:
        raise RuleBroken(_("At %(where)s: not a condition that is known.") % {"where": where})
    clean: dict[str, Any] = {"kind": str(kind)}
    if kind == ConditionKind.FOLLOWERS:
        clean["number"] = _whole(node["number"], LOWEST_THRESHOLD, MOST_FOLLOWERS, where)
        clean["strict"] = bool(node["strict"])
        clean["held_days"] = _whole(node["held_days"], 1, MOST_DAYS, where)
        if node["when"] not in Window.values:
            raise RuleBroken(_("At %(where)s: not a period that is known.") % {"where": where})
        clean["when"] = str(node["when"])
    elif kind == ConditionKind.CLASS_HOURS:
        clean["number"] = str(_tenths(node["number"], where))
    elif kind == ConditionKind.PUBLISHED:
        clean["number"] = _whole(node["number"], 1, 10_000, where)
    return clean


def _whole(value: Any, least: int, most: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RuleBroken(
            _("At %(where)s: a whole number from %(least)s to %(most)s is needed.")
            % {"where": where, "least": f"{least:,}", "most": f"{most:,}"}
        )
    return value


def _tenths(value: Any, where: str) -> Decimal:
    try:
        hours = Decimal(str(value))
        if hours == hours.quantize(Decimal("0.1")) and 0 < hours <= 1000:
            return hours.quantize(Decimal("0.1"))
    except InvalidOperation:
        pass
    raise RuleBroken(_("At %(where)s: class hours are a number with at most one decimal.") % {"where": where})


# --- Read as sentences ------------------------------------------------------------------------------------------------


def sentence(node: Tree) -> str:
    """One condition in words, as staff, hotline and trainees read it."""
    kind = node["kind"]
    if kind == ConditionKind.FOLLOWERS:
        return _followers_sentence(followers_of(node))
    if kind == ConditionKind.CLASS_HOURS:
        return _("At least %(count)s class hours that count") % {"count": node["number"]}
    if kind == ConditionKind.PUBLISHED:
        return ngettext("At least %(count)d published work", "At least %(count)d published works", node["number"]) % {
            "count": node["number"]
        }
    return {
        ConditionKind.GRADUATED: _("Graduated from the training"),
        ConditionKind.NO_OPEN_FLAG: _("No open question about the followers"),
    }[kind]


def _followers_sentence(asked: Followers) -> str:
    number = f"{asked.number:,}"
    if asked.strict:
        words = {
            Window.SUPPORT: _("More than %(count)s followers on a day of the support period"),
            Window.COHORT: _("More than %(count)s followers on a day of the cohort"),
            Window.EVER: _("More than %(count)s followers on any day"),
        }[Window(asked.when)]
    else:
        words = {
            Window.SUPPORT: _("At least %(count)s followers on a day of the support period"),
            Window.COHORT: _("At least %(count)s followers on a day of the cohort"),
            Window.EVER: _("At least %(count)s followers on any day"),
        }[Window(asked.when)]
    said = words % {"count": number}
    if asked.held_days > 1:
        said += _(", held for %(days)d days") % {"days": asked.held_days}
    return said


def sentences(tree: Tree, depth: int = 0) -> list[tuple[int, str]]:
    """The tree as lines ``(depth, words)``, in the order in which it reads."""
    if "kind" in tree:
        return [(depth, sentence(tree))]
    join = "all" if "all" in tree else "any"
    said = _("All of these:") if join == "all" else _("At least one of these:")
    return [(depth, said), *(line for node in tree[join] for line in sentences(node, depth + 1))]

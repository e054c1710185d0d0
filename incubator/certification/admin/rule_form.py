"""A rule's conditions as a form that needs no script: rows that read as sentences, groups, and buttons that submit.

What was entered is a tree of nodes: ``{"kind": …, "values": {field: text}}`` is a condition, ``{"join": "all" or "any",
"parts": [node, …]}`` a group. In the form each has a path, ``0`` for the whole, ``0.2`` for its second part; every
button sends all of it, and what comes back is the page with what the button asked for. Nothing is saved but by saving.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextInputWidget,
)

from incubator.certification.choices import ConditionKind, Window
from incubator.certification.conditions import (
    LONGEST_GAP,
    MOST_DAYS,
    MOST_FOLLOWERS,
    Tree,
    sentence,
)
from incubator.metrics.models import LOWEST_THRESHOLD

Node = dict[str, Any]

ROOT = "0"
GROUPS_WITHIN = 2  # levels of groups inside the whole
MOST_NODES = 60


class Whole(forms.IntegerField):
    """A whole number, as people write it: with commas or spaces between thousands, or in full width."""

    widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        return super().to_python("".join(str(value or "").replace(",", " ").replace("，", " ").split()))


class LeafForm(forms.Form):
    """What one condition needs beside its kind."""

    use_required_attribute = False  # a button that removes a row must not wait for the row to be filled

    def tree(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, **self.cleaned_data}


class FollowersForm(LeafForm):
    strict = forms.ChoiceField(
        label=gettext_lazy("How"),
        choices=[("least", gettext_lazy("at least")), ("more", gettext_lazy("more than"))],
        widget=UnfoldAdminSelectWidget,
    )
    number = Whole(label=gettext_lazy("Followers"), min_value=LOWEST_THRESHOLD, max_value=MOST_FOLLOWERS)
    when = forms.ChoiceField(label=gettext_lazy("When"), choices=Window, widget=UnfoldAdminSelectWidget)
    held_days = Whole(label=gettext_lazy("Held for days"), min_value=1, max_value=MOST_DAYS)

    def tree(self, kind: str) -> dict[str, Any]:
        return super().tree(kind) | {"strict": self.cleaned_data["strict"] == "more"}


class HoursForm(LeafForm):
    number = forms.DecimalField(
        label=gettext_lazy("Class hours at least"),
        min_value=0.1,
        max_value=1000,
        decimal_places=1,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )

    def tree(self, kind: str) -> dict[str, Any]:
        return {"kind": kind, "number": f"{self.cleaned_data['number']:.1f}"}


class PublishedForm(LeafForm):
    number = Whole(label=gettext_lazy("Published works at least"), min_value=1, max_value=10_000)


FORMS: dict[str, type[LeafForm]] = {
    ConditionKind.GRADUATED: LeafForm,
    ConditionKind.FOLLOWERS: FollowersForm,
    ConditionKind.CLASS_HOURS: HoursForm,
    ConditionKind.PUBLISHED: PublishedForm,
    ConditionKind.NO_OPEN_FLAG: LeafForm,
}
NEW: dict[str, dict[str, str]] = {
    ConditionKind.FOLLOWERS: {"strict": "least", "number": "100000", "when": Window.SUPPORT, "held_days": "1"},
    ConditionKind.CLASS_HOURS: {"number": "16.0"},
    ConditionKind.PUBLISHED: {"number": "1"},
}


class About(forms.Form):
    """What a version says beside its conditions."""

    note = forms.CharField(
        label=gettext_lazy("What changed"), max_length=200, required=False, widget=UnfoldAdminTextInputWidget
    )
    valid_from = forms.DateField(
        label=gettext_lazy("Decides from"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("Empty: from its publication on."),
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Decides until"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=gettext_lazy("Empty: until a newer version is published."),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("The last day must not be before the first."))
        return data


# --- Nodes ------------------------------------------------------------------------------------------------------------


def node_of(tree: Tree) -> Node:
    """A checked tree as nodes; a condition that stands alone is put into a group."""
    node = _node(tree)
    return node if "join" in node else {"join": "all", "parts": [node]}


def _node(tree: Tree) -> Node:
    if "kind" not in tree:
        join = "all" if "all" in tree else "any"
        return {"join": join, "parts": [_node(part) for part in tree[join]]}
    values = {name: str(value) for name, value in tree.items() if name not in ("kind", "strict")}
    if "strict" in tree:
        values["strict"] = "more" if tree["strict"] else "least"
    return {"kind": tree["kind"], "values": values}


def posted_node(data: Mapping[str, Any]) -> Node:
    """What the form was sent with. Whatever is not of its making is left out."""
    return _posted(data, ROOT, [MOST_NODES]) or {"join": "all", "parts": []}


def _posted(data: Mapping[str, Any], path: str, left: list[int]) -> Node | None:
    kind, join = data.get(f"{path}-kind"), data.get(f"{path}-join")
    if left[0] <= 0 or len(path) > 20:
        return None
    left[0] -= 1
    if kind in FORMS:
        return {"kind": kind, "values": {name: data.get(f"{path}-{name}", "") for name in FORMS[kind].base_fields}}
    if join not in ("all", "any"):
        return None
    parts: list[Node] = []
    for number in range(1, MOST_NODES):
        part = _posted(data, f"{path}.{number}", left)
        if part is None:
            break
        parts.append(part)
    return {"join": join, "parts": parts}


def carry_out(node: Node, button: str, data: Mapping[str, Any]) -> None:
    """Do what a button about rows asks for: ``add 0.2``, ``group 0``, ``remove 0.1``. What does not fit is left."""
    action, _space, path = button.partition(" ")
    group = at(node, path)
    if action == "remove":
        parent, _dot, number = path.rpartition(".")
        parts = (at(node, parent) or {}).get("parts", [])
        if number.isdigit() and 0 < int(number) <= len(parts):
            del parts[int(number) - 1]
        return
    if group is None or "join" not in group or len(list(_walk(node))) >= MOST_NODES:
        return
    if action == "add" and (kind := data.get(f"{path}-new")) in FORMS:
        group["parts"].append({"kind": kind, "values": dict(NEW.get(str(kind), {}))})
    elif action == "group" and path.count(".") < GROUPS_WITHIN:
        other = "any" if group["join"] == "all" else "all"
        group["parts"].append({"join": other, "parts": []})


def at(node: Node, path: str) -> Node | None:
    """The node with a path."""
    found: Node | None = node
    for number in path.split(".")[1:]:
        parts = (found or {}).get("parts", [])
        found = parts[int(number) - 1] if number.isdigit() and 0 < int(number) <= len(parts) else None
    return found


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in node.get("parts", []):
        yield from _walk(part)


# --- The page's rows --------------------------------------------------------------------------------------------------


class Row:
    """A node as the page shows it: with its form, how it reads, and its parts."""

    def __init__(self, node: Node, path: str = ROOT, number: str = "") -> None:
        self.path, self.number = path, number
        self.is_group = "join" in node
        self.is_root = path == ROOT
        self.parts: list[Row] = []
        self.form: LeafForm | None = None
        if self.is_group:
            self.join = node["join"]
            dot = f"{number}." if number else ""
            self.parts = [Row(part, f"{path}.{n}", f"{dot}{n}") for n, part in enumerate(node["parts"], 1)]
            self.may_nest = path.count(".") < GROUPS_WITHIN
        else:
            self.kind = node["kind"]
            self.form = FORMS[self.kind]({f"{path}-{k}": v for k, v in node["values"].items()}, prefix=path)
            self.name = ConditionKind(self.kind).label

    @property
    def is_whole(self) -> bool:
        """Whether every row is filled in as it must be, and every group has one."""
        if self.form is not None:
            return self.form.is_valid()
        return bool(self.parts) and all(part.is_whole for part in self.parts)

    @property
    def is_empty_group(self) -> bool:
        return self.is_group and not self.parts

    @property
    def tree(self) -> dict[str, Any]:
        """As ``conditions`` describes it; to be asked of a whole row only."""
        if self.form is not None:
            return self.form.tree(self.kind)
        return {self.join: [part.tree for part in self.parts]}

    @property
    def sentence(self) -> str:
        """How the condition reads; its bare name until it is filled in."""
        return sentence(self.tree) if self.form is not None and self.form.is_valid() else str(self.name)

    @property
    def help(self) -> str:
        if not self.is_group and self.kind == ConditionKind.FOLLOWERS:
            return _(
                "Accounts are not added up: one account has the number. Held days count from the first reading of the "
                "period that has it, with no lower reading between and no more than %(days)d days between two."
            ) % {"days": LONGEST_GAP}
        return ""

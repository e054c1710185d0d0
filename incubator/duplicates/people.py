"""What is chosen when two records of a person become one: whose value of each field is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from incubator.common.errors import RuleBroken
from trainees.identity import parse_id_number
from trainees.models import Trainee


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that is chosen, with the fields that go with it. ``compared`` tells whether two records differ."""

    name: str
    label: Any
    along: tuple[str, ...] = ()
    by: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.along)

    def compared(self, trainee: Trainee) -> Any:
        value = getattr(trainee, self.by or self.name)
        return bytes(value) if isinstance(value, memoryview) else value

    def is_empty(self, trainee: Trainee) -> bool:
        return self.compared(trainee) in (None, "")


CHOSEN = [
    Kept("name", pgettext_lazy("person", "name"), ("initials",)),
    Kept("id_number", gettext_lazy("ID number"), ("id_number_index",), by="id_number_index"),
    Kept("phone", gettext_lazy("phone"), ("phone_index",), by="phone_index"),
    Kept("sex", gettext_lazy("sex")),
    Kept("born_on", gettext_lazy("date of birth")),
    Kept("county", gettext_lazy("county"), by="county_id"),
    Kept("township", gettext_lazy("township")),
    Kept("background", gettext_lazy("background")),
    Kept("education", gettext_lazy("education")),
]
# Everything else a person has: the record's own, which stays with the record that stays.
NOT_CHOSEN = frozenset({"id", "number", "user", "created_at"})


def differing(one: Trainee, other: Trainee) -> list[Kept]:
    return [kept for kept in CHOSEN if kept.compared(one) != kept.compared(other)]


def suggested(stays: Trainee, goes: Trainee) -> dict[str, int]:
    """For each field that differs whose value to keep (a key): that of the record that stays, unless it is empty."""
    return {kept.name: goes.pk if kept.is_empty(stays) else stays.pk for kept in differing(stays, goes)}


def take_over(stays: Trainee, goes: Trainee, choice: Mapping[str, int]) -> dict[str, tuple[Any, Any]]:
    """Give the record that stays the values chosen of the other; returns ``{field: (before, after)}``. Saves nothing.

    What differs and is not in ``choice`` goes by ``suggested``. Raises ``RuleBroken`` for an ID number that says
    another sex or date of birth than what is kept.
    """
    choice = {**suggested(stays, goes), **choice}
    changed = {}
    for kept in differing(stays, goes):
        if choice[kept.name] != goes.pk:
            continue
        changed[kept.name] = (getattr(stays, kept.name), getattr(goes, kept.name))
        for name in kept.names:
            setattr(stays, name, getattr(goes, name))
    if changed.keys() & {"id_number", "sex", "born_on"}:
        _must_fit_id_number(stays)
    return changed


def _must_fit_id_number(trainee: Trainee) -> None:
    try:
        said = parse_id_number(str(trainee.id_number or ""))
    except RuleBroken:
        return
    if trainee.born_on not in (None, said.born_on) or trainee.sex not in ("", said.sex):
        raise RuleBroken(_("The ID number you keep says another date of birth or sex. Keep those of the same record."))


def columns_of(changed: Mapping[str, Any]) -> list[str]:
    """The fields to save after ``take_over``."""
    return [name for kept in CHOSEN if kept.name in changed for name in kept.names]

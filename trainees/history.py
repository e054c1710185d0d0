"""What was changed about people: the only writer of ``TraineeChange``, and how it is read.

A service that changes people one by one calls ``record_changes``. One that changes many by a statement writes the rows
in the same statement or the next one, within its transaction:

    INSERT INTO trainees_traineechange (trainee_id, kind, fields, by_id, why, origin)
    SELECT trainee.id, 'imported',
        jsonb_strip_nulls(jsonb_build_object(
            'township', CASE WHEN trainee.township IS DISTINCT FROM incoming.township
                THEN jsonb_build_array(trainee.township, incoming.township) END)),
        %(by)s, '', 'rosters.rosterimport/12'
    FROM …

``at`` is the start of the transaction unless given. What is personal (``PERSONAL``) stands masked or, where the masks
are not at hand, as ``["", ""]``, which says that they were changed; the database refuses a whole one
(``history_holds_no_whole_number``). Regions stand as their codes, choices as stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.translation import gettext

from incubator.common.masking import mask_birth, mask_id_number, mask_phone
from incubator.regions.models import Region
from trainees.choices import ChangeKind
from trainees.models import Trainee, TraineeChange

PERSONAL: dict[str, Callable[[Any], str]] = {"id_number": mask_id_number, "phone": mask_phone, "born_on": mask_birth}
BATCH = 1_000
_CHOICES = ("sex", "background")


@dataclass(frozen=True, slots=True)
class Change:
    """What was changed about one person: ``{field: (before, after)}``, in clear; it is masked when it is written."""

    trainee_id: int
    fields: Mapping[str, tuple[Any, Any]]


def record_changes(
    changes: Iterable[Change], *, kind: ChangeKind, by: Any, why: str = "", origin: Model | None = None
) -> int:
    """Write what was changed, in the transaction that changes it; returns how many people.

    ``by`` is a user, or None where a program acted alone; ``origin`` the saved row it came from (an import, a merge).
    """
    came_from = origin_of(origin) if origin is not None else ""
    rows = [
        TraineeChange(
            trainee_id=change.trainee_id, kind=kind, fields=_stored(change.fields), by=by, why=why, origin=came_from
        )
        for change in changes
    ]
    TraineeChange.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def differences(trainee: Trainee, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Of ``values`` (by field name) those that are not the trainee's already, with what it has now."""
    found = {}
    for name, after in values.items():
        before = getattr(trainee, name)
        if before != after:
            found[name] = (before, after)
    return found


def origin_of(row: Model) -> str:
    """``rosters.rosterimport/12``."""
    return f"{row._meta.label_lower}/{row.pk}"


def in_words(changes: Sequence[TraineeChange], *, regions: Mapping[str, str] | None = None) -> list[str]:
    """What each of them changed, as people read it: ``name: 王小明 → 李小明``; one query for the names of regions.

    With ``regions`` given (names by code) nothing is asked; a region that is not among them stands as its code.
    """
    counties = {code for change in changes for code in change.fields.get("county", []) if code}
    if regions is None:
        regions = dict(Region.objects.filter(pk__in=counties).values_list("pk", "name")) if counties else {}
    names = regions
    return ["; ".join(_words(name, both, names) for name, both in change.fields.items()) for change in changes]


def _words(name: str, both: Any, regions: Mapping[str, str]) -> str:
    before, after = both if isinstance(both, list) and len(both) == 2 else (both, both)
    if before == after:  # the masks were not at hand, or are the same
        return gettext("%(field)s changed") % {"field": _label(name)}
    return f"{_label(name)}: {_value(name, before, regions)} → {_value(name, after, regions)}"


def _label(name: str) -> str:
    try:
        return str(Trainee._meta.get_field(name).verbose_name)  # type: ignore[union-attr]
    except FieldDoesNotExist:
        return name


def _value(name: str, value: Any, regions: Mapping[str, str]) -> str:
    if value in (None, ""):
        return "-"
    if name == "county":
        return regions.get(value, value)
    choices = dict(getattr(Trainee._meta.get_field(name), "flatchoices", [])) if name in _CHOICES else {}
    return str(choices.get(value, value))


def _stored(fields: Mapping[str, tuple[Any, Any]]) -> dict[str, list[Any]]:
    return {name: [_plain(name, value) for value in both] for name, both in fields.items()}


def _plain(name: str, value: Any) -> Any:
    if name in PERSONAL:
        return PERSONAL[name](value)
    if isinstance(value, Model):
        return value.pk
    return value.isoformat() if isinstance(value, date) else value

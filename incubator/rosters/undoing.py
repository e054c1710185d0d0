"""Undoing an applied roster: whoever it entered goes, what it changed is put back, unless something depends on it.

What depends is found over the relations of the models themselves, so that higher rooms hold a row without being known
here. What a model says happens when such a row goes is what happens: ``PROTECT`` holds it, ``SET_NULL`` is emptied,
``CASCADE`` goes with it (an open question about two people). A relation that the database neither checks nor finds by
an index is a log beside another table that is looked at (of readings there is the newest of each account).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import batched
from typing import Any

from django.db import connection
from django.db.models import (
    CASCADE,
    DO_NOTHING,
    PROTECT,
    RESTRICT,
    SET_NULL,
    Exists,
    Field,
    Model,
    OuterRef,
    Q,
    QuerySet,
)
from django.utils.translation import gettext as _

from incubator.common.encryption import encrypt
from incubator.imports.choices import ImportState
from incubator.metrics.models import CreatorAccount
from incubator.metrics.services import remove_accounts
from incubator.programmes.bulk import remove_participations
from incubator.programmes.choices import ParticipationState
from incubator.programmes.models import Participation, ParticipationMove
from incubator.rosters.choices import RowStatus
from incubator.rosters.models import ID_NUMBER, PHONE, RosterImport, RosterRow
from trainees.bulk import fingerprint, put_back_people, remove_people
from trainees.choices import ChangeKind
from trainees.history import PERSONAL, Change, record_changes
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee

CHUNK = 2_000  # people put back together
MOST_TOLD = 50  # rows that hold an import are told one by one
# What an import made, and the column of its rows that holds the key reserved for it; in the order of their going.
MADE: dict[type[Model], str] = {
    CreatorAccount: "account_key",
    Participation: "participation_key",
    Trainee: "sealed_for",
}
HOLDS = (PROTECT, RESTRICT, DO_NOTHING)
WRITTEN = (RowStatus.NEW, RowStatus.MATCHED)
KEYS = "SELECT {key} FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status IN ('new', 'matched')"
ENTERED = "SELECT sealed_for FROM rosters_rosterrow WHERE roster_id = %(roster)s AND status = 'new'"

# Whose person is no longer as this import left them: of the new ones anything, of the known ones what it changed.
TOUCHED = f"""
SELECT row.number
FROM rosters_rosterrow row
JOIN trainees_trainee person ON person.id = row.trainee_id
CROSS JOIN LATERAL (
    SELECT row.name, row.sex, row.born_on, row.county_id, row.township,
        coalesce(nullif(row.background, ''), 'other') AS background, row.education, row.id_number_index, row.phone_index
) AS written
WHERE row.roster_id = %(roster)s AND (
    (row.status = 'new' AND {fingerprint("person")} <> {fingerprint("written")})
    OR (row.status = 'matched' AND (
        ('name' = ANY(row.changes) AND person.name <> row.name)
        OR ('sex' = ANY(row.changes) AND person.sex <> row.sex)
        OR ('born_on' = ANY(row.changes) AND person.born_on IS DISTINCT FROM row.born_on)
        OR ('township' = ANY(row.changes) AND person.township <> row.township)
        OR ('background' = ANY(row.changes) AND person.background <> row.background)
        OR ('education' = ANY(row.changes) AND person.education <> row.education)
        OR ('id_number' = ANY(row.changes) AND person.id_number_index IS DISTINCT FROM row.id_number_index)
        OR ('phone' = ANY(row.changes) AND person.phone_index IS DISTINCT FROM row.phone_index)
    ))
)
ORDER BY row.number LIMIT %(most)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps a row from being undone, in a few words."""

    row: int
    name: str
    what: str


def holds(roster: RosterImport, *, most: int = MOST_TOLD) -> list[Hold]:
    """What keeps the import from being undone, in the order of its rows; at most so many."""
    found: list[Hold] = []
    for rows, what in _questions(roster):
        found += [Hold(number, name, what) for number, name in rows.values_list("number", "name")[:most]]
        if len(found) >= most:
            break
    return sorted(found, key=lambda hold: hold.row)[:most]


def _questions(roster: RosterImport) -> Iterator[tuple[QuerySet, str]]:
    """Rows that are held, and by what."""
    rows = RosterRow.objects.filter(roster=roster, status__in=WRITTEN).order_by("number")
    new = rows.filter(status=RowStatus.NEW)
    yield new.exclude(_made(Trainee)), _("was merged with somebody else")
    yield rows.filter(number__in=_touched(roster)), _("was changed since")
    yield new.filter(_made(Trainee, user__isnull=False)), _("has a login")
    yield rows.filter(_in_a_later_import(roster)), _("is in a later import")
    yield rows.filter(_made(Participation, ~Q(state=ParticipationState.ADMITTED))), _("has gone on in the cohort")
    for model in MADE:
        for theirs, name in _pointing_rows(model):
            yield (new if model is Trainee else rows).filter(Exists(theirs)), name


def _made(model: type[Model], *conditions: Q, **named: Any) -> Exists:
    """Whether what the import made for the row is there (and is so)."""
    return Exists(model._base_manager.filter(*conditions, pk=OuterRef(MADE[model]), **named))


def _touched(roster: RosterImport) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(TOUCHED, {"roster": roster.pk, "most": MOST_TOLD})
        return [number for (number,) in cursor.fetchall()]


def _in_a_later_import(roster: RosterImport) -> Exists:
    later = RosterRow.objects.filter(roster__state=ImportState.APPLIED, roster__applied_at__gt=roster.applied_at)
    return Exists(later.filter(trainee=OuterRef("trainee"), status__in=WRITTEN))


def _pointing_rows(model: type[Model]) -> Iterator[tuple[QuerySet, str]]:
    """Rows that hold a row of ``model``, each kind with its name; not what the import made itself."""
    for field in fields_pointing_to(model, HOLDS):
        other: Any = field.model
        if other is ParticipationMove:  # a participation that has not gone on has ours only
            continue
        theirs = other._base_manager.filter(**{field.name: OuterRef(MADE[model])})
        if other in MADE:
            theirs = theirs.exclude(pk=OuterRef(MADE[other]))
        yield theirs, str(other._meta.verbose_name)


def fields_pointing_to(model: type[Model], kinds: Collection[Any]) -> list[Any]:
    """Foreign keys to ``model`` for which one of ``kinds`` (of ``on_delete``) happens when a row of it goes."""
    found: list[Field] = []
    for relation in model._meta.get_fields(include_hidden=True):
        field: Any = getattr(relation, "field", None)
        if field is None or not (relation.one_to_many or relation.one_to_one) or field.model is RosterRow:
            continue
        is_known = field.db_constraint or field.db_index or field.unique
        if is_known and field.remote_field.on_delete in kinds:
            found.append(field)
    return found


def take_back(roster: RosterImport, *, by: Any) -> None:
    """Remove and put back what the import wrote. For an import that nothing holds, in the transaction that found so."""
    for model, key in MADE.items():
        _let_go(model, roster.rows.filter(status__in=WRITTEN).values(key))  # type: ignore[attr-defined]
    params = {"roster": roster.pk}
    remove_accounts(KEYS.format(key="account_key"), params)
    remove_participations(KEYS.format(key="participation_key"), params)
    remove_people(ENTERED, params)
    changed = roster.rows.filter(status=RowStatus.MATCHED).exclude(changes=[])  # type: ignore[attr-defined]
    for rows in batched(changed.iterator(chunk_size=CHUNK), CHUNK):
        put_back_people([_as_before(row) for row in rows])
        noted = [Change(row.trainee_id, _back(row)) for row in rows if row.trainee_id]
        record_changes(noted, kind=ChangeKind.UNDONE, by=by, origin=roster)
    roster.rows.filter(status=RowStatus.NEW).update(trainee=None)  # type: ignore[attr-defined]


def _back(row: RosterRow) -> dict[str, tuple[Any, Any]]:
    """What undoing changes, by field; of personal numbers that it does."""
    was = row.plain_before
    return {name: ("", "") if name in PERSONAL else (getattr(row, name), was[name]) for name in row.changes}


def _let_go(model: type[Model], keys: QuerySet) -> None:
    """Whatever points to rows of ``model`` without holding them forgets them or goes, as when Django deletes them."""
    for field in fields_pointing_to(model, [SET_NULL]):
        field.model._base_manager.filter(**{f"{field.name}__in": keys}).update(**{field.name: None})
    for field in fields_pointing_to(model, [CASCADE]):
        field.model._base_manager.filter(**{f"{field.name}__in": keys}).delete()


def _as_before(row: RosterRow) -> dict[str, Any]:
    """The columns that the import changed of a person, as they were."""
    was = row.plain_before
    columns: dict[str, Any] = {"id": row.trainee_id}
    for column in row.changes:
        columns[column] = was[column]
    if "name" in columns:
        columns["initials"] = was["initials"]
    for column, context, index in (("id_number", ID_NUMBER, id_number_index), ("phone", PHONE, phone_index)):
        if column in columns:
            text = was[column]
            columns[column] = encrypt(text, context=context, row=row.trainee_id) if text else None
            columns[f"{column}_index"] = index(text) if text else None
    return columns

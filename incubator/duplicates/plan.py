"""What a merge will do, found by reading: every row that moves, every two that become one, everything in the way.

The page shows the plan and the service carries it out, so that what was shown is what happens. Relations are found in
the models themselves; a new table that hangs on people is moved without a word here.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models import BooleanField, Case, Q, QuerySet, UniqueConstraint, Value, When

from incubator.common.encryption import EncryptedTextField
from incubator.common.errors import RuleBroken
from incubator.duplicates.rows import Journal
from incubator.duplicates.rules import JOINS, LEFT_ALONE, Joined
from trainees.models import Trainee


@dataclass(frozen=True, slots=True)
class Relation:
    """Rows of ``model`` that name another row in ``field``."""

    model: type[models.Model]
    field: Any

    @property
    def label(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"


@dataclass(frozen=True, slots=True)
class Unique:
    """Of rows that satisfy ``condition`` one only for the same values of ``fields``."""

    fields: tuple[str, ...]
    condition: Q | None = None


def relations_to(model: type[models.Model]) -> list[Relation]:
    """Every foreign key to a model, hidden ones too, in the order of their names."""
    fields: list[Any] = model._meta.get_fields(include_hidden=True)
    keys = [one for one in fields if one.auto_created and not one.concrete and (one.one_to_many or one.one_to_one)]
    tables = [one for one in keys if one.related_model._meta.managed and not one.related_model._meta.proxy]
    found = [Relation(one.related_model, one.field) for one in tables]
    return sorted(found, key=lambda relation: relation.label)


def moved_relations(model: type[models.Model]) -> list[Relation]:
    return [relation for relation in relations_to(model) if relation.label not in LEFT_ALONE]


def uniques_of(relation: Relation) -> list[Unique]:
    """The unique constraints that moving a row of a relation may break."""
    meta, name = relation.model._meta, relation.field.name
    found = [Unique((name,))] if relation.field.unique else []
    found += [Unique(tuple(names)) for names in meta.unique_together if name in names]
    found += [
        Unique(tuple(one.fields), one.condition)
        for one in meta.constraints
        if isinstance(one, UniqueConstraint) and name in one.fields
    ]
    return found


def unhandled(model: type[models.Model] = Trainee, *, seen: tuple[type[models.Model], ...] = ()) -> list[str]:
    """What hangs on a model, or on what is joined with it, and has no rule: sentences for whoever added it."""
    found: list[str] = []
    for relation in moved_relations(model):
        meta = relation.model._meta
        if any(isinstance(one, UniqueConstraint) and one.expressions for one in meta.constraints):
            found.append(f"{relation.label}: a unique constraint of expressions cannot be judged here.")
        if isinstance(meta.pk, models.CompositePrimaryKey) or relation.field.primary_key:
            found.append(f"{relation.label}: rows whose key is the relation cannot be moved.")
        if not uniques_of(relation):
            continue
        rule = JOINS.get(meta.label)
        if rule is None:
            found.append(f"{relation.label}: it is unique, and rules.JOINS does not say how two become one.")
        elif not rule.refuses and relation.model not in seen:
            found += unhandled(relation.model, seen=(*seen, relation.model))
    return found


@dataclass(frozen=True, slots=True)
class Put:
    """Let rows name another row."""

    relation: Relation
    pks: list[int]
    to: int

    def carry_out(self, journal: Journal) -> None:
        journal.change(self.relation.model, self.pks, {self.relation.field.column: self.to})


@dataclass(frozen=True, slots=True)
class Drop:
    """Remove rows whose twin stays."""

    model: type[models.Model]
    pks: list[int]

    def carry_out(self, journal: Journal) -> None:
        journal.delete(self.model, self.pks)


@dataclass(frozen=True, slots=True)
class Write:
    """Give a row that stays what its twin knew better."""

    model: type[models.Model]
    pk: int
    values: dict[str, Any]

    def carry_out(self, journal: Journal) -> None:
        journal.change(self.model, [self.pk], self.values)


@dataclass(slots=True)
class Plan:
    """Steps in the order in which no constraint is broken; what is in the way; sentences about what becomes one.

    ``children`` are the keys of all rows read, by relation and by the row they hang on.
    """

    steps: list[Put | Drop | Write] = field(default_factory=list)
    obstacles: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    children: dict[str, dict[int, list[int]]] = field(default_factory=dict)

    def count(self, label: str, pk: int) -> int:
        return len(self.children.get(label, {}).get(pk, ()))

    def history_of(self, trainee_id: int) -> int:
        """How many rows hang on a person."""
        return sum(len(rows.get(trainee_id, ())) for label, rows in self.children.items() if _hangs_on_people(label))


def _hangs_on_people(label: str) -> bool:
    return label in {relation.label for relation in moved_relations(Trainee)}


def plan_merge(stays: int, goes: int, *, locking: bool = False) -> Plan:
    """What making the person ``goes`` the person ``stays`` does (both are keys). The same number of queries for any
    number of rows that hang on them.

    ``locking`` locks every row that will be touched and waits for none (``OperationalError``, see ``services``).
    """
    plan = Plan()
    _plan_level(plan, Trainee, {goes: stays}, locking)
    return plan


def _plan_level(plan: Plan, model: type[models.Model], drops: dict[int, int], locking: bool) -> None:
    """Everything that hangs on rows of ``model`` that go (``drops``: by the key that goes, the one that stays)."""
    for relation in moved_relations(model):
        rows = list(_rows_on(relation, [*drops, *drops.values()], locking))
        parent = relation.field.attname
        hanging = plan.children.setdefault(relation.label, {})
        for pk in (*drops, *drops.values()):
            hanging[pk] = [row.pk for row in rows if getattr(row, parent) == pk]
        joined = list(_join(plan, relation, rows, drops))
        twins = {one.drop.pk: one.keep.pk for one in joined}
        if twins:
            _plan_level(plan, relation.model, twins, locking)
            plan.steps.append(Drop(relation.model, sorted(twins)))
        for goes, stays in drops.items():
            moving = [pk for pk in hanging[goes] if pk not in twins]
            if moving:
                plan.steps.append(Put(relation, moving, stays))
        plan.steps += [Write(relation.model, one.keep.pk, one.values) for one in joined if one.values]
        plan.joined += [one.sentence for one in joined if one.sentence]


def _rows_on(relation: Relation, parents: Sequence[int], locking: bool) -> QuerySet:
    """The rows, each with whether it falls under the condition of each unique constraint (``holds_0`` …)."""
    rule = JOINS.get(relation.model._meta.label)
    rows = relation.model._base_manager.filter(**{f"{relation.field.name}__in": parents}).order_by("pk")
    if rule is not None and rule.needs:
        rows = rows.select_related(*rule.needs)
    rows = rows.defer(*(f.name for f in relation.model._meta.concrete_fields if isinstance(f, EncryptedTextField)))
    for n, unique in enumerate(uniques_of(relation)):
        if unique.condition is not None:
            holds = Case(When(unique.condition, then=Value(True)), default=Value(False), output_field=BooleanField())
            rows = rows.annotate(**{f"holds_{n}": holds})
    return rows.select_for_update(nowait=True, of=("self",)) if locking else rows


def _join(plan: Plan, relation: Relation, rows: Iterable[Any], drops: dict[int, int]) -> Iterable[Joined]:
    """How rows that could not both hang on what stays become one; refusals become obstacles."""
    met: dict[int, int] = {}
    for ours, theirs in _twins(relation, rows, drops):
        if met.get(ours.pk) == theirs.pk:
            continue  # by another constraint too
        if {ours.pk, theirs.pk} & {*met, *met.values()}:
            raise NotImplementedError(f"{relation.label}: three rows would become one")
        met[ours.pk] = theirs.pk
        rule = JOINS.get(relation.model._meta.label)
        if rule is None:
            raise NotImplementedError(f"{relation.label} is unique and has no rule")
        try:
            yield rule.join(ours, theirs)
        except RuleBroken as refusal:
            plan.obstacles.append(str(refusal))


def _twins(relation: Relation, rows: Iterable[Any], drops: dict[int, int]) -> Iterable[tuple[Any, Any]]:
    """Pairs ``(row of what stays, row of what goes)`` that a unique constraint keeps from standing side by side."""
    rows = list(rows)
    for n, unique in enumerate(uniques_of(relation)):
        by_key: dict[tuple, list[Any]] = defaultdict(list)
        for row in rows:
            key = _key_of(row, relation, unique, drops)
            if key is not None and getattr(row, f"holds_{n}", True):
                by_key[key].append(row)
        for twins in by_key.values():
            if len(twins) > 1:
                theirs, ours = sorted(twins, key=lambda row: getattr(row, relation.field.attname) not in drops)
                yield ours, theirs


def _key_of(row: Any, relation: Relation, unique: Unique, drops: dict[int, int]) -> tuple | None:
    """What would have to be unique once the row hangs on what stays; None where a NULL makes it unique anyway."""
    key = []
    for name in unique.fields:
        column = row._meta.get_field(name).attname
        value = getattr(row, column)
        if value is None:
            return None
        key.append(drops.get(value, value) if name == relation.field.name else value)
    return tuple(key)

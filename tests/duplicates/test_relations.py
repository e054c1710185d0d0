"""Merging knows what to do with everything that hangs on people: a new table cannot be forgotten."""

from types import SimpleNamespace

import pytest
from django.db import connection, models

from incubator.duplicates import plan, rules
from incubator.duplicates.people import CHOSEN, NOT_CHOSEN
from incubator.duplicates.plan import Relation, moved_relations, relations_to, unhandled
from trainees.models import Trainee

# Triggers that run before an update: bits 2 (before) and 16 (update) of their type. One that names columns lets the
# others change; whose a row is must not be among them.
GUARDS = """
SELECT tgrelid::regclass::text, ARRAY(
    SELECT attname::text FROM pg_attribute WHERE attrelid = tgrelid AND attnum = ANY(tgattr)
) FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 16 > 0 AND tgtype & 2 > 0
"""


def labels(relations):
    return {relation.label for relation in relations}


def all_moved(model=Trainee, seen=()):
    """Every relation whose rows a merge may change, through everything that is joined."""
    found = []
    for relation in moved_relations(model):
        found.append(relation)
        rule = rules.JOINS.get(relation.model._meta.label)
        if rule and not rule.refuses and plan.uniques_of(relation) and relation.model not in seen:
            found += all_moved(relation.model, (*seen, relation.model))
    return found


def test_every_relation_to_people_is_known_to_merging():
    assert unhandled() == []


def test_hidden_relations_are_found_too():
    assert {"rosters.RosterRow.trainee", "programmes.Participation.trainee", "certification.Award.trainee"} <= labels(
        relations_to(Trainee)
    )


def test_what_is_left_alone_and_what_has_a_rule_exists():
    assert set(rules.LEFT_ALONE) <= labels(relations_to(Trainee))
    assert set(rules.DEPENDS_ON_NOTHING) | set(rules.DEPENDS_WHERE) <= labels(all_moved())
    assert set(rules.JOINS) <= {relation.model._meta.label for relation in all_moved()}


@pytest.mark.django_db
def test_no_table_that_is_moved_refuses_to_be_changed():
    """A trigger that refuses updates would refuse a merge: such a table needs a place in ``LEFT_ALONE``, and a key that
    the database does not check."""
    moved = {(relation.model._meta.db_table, relation.field.column) for relation in all_moved()}
    with connection.cursor() as cursor:
        cursor.execute(GUARDS)
        guards = cursor.fetchall()
    whole = {table for table, named in guards if not named}

    assert whole >= {"trainees_traineechange", "grants_ledgerentry"}
    assert {table for table, named in guards if named} >= {"programmes_supportchange"}
    assert {(table, column) for table, column in moved if table in whole} == set()
    assert {(table, column) for table, named in guards for column in named} & moved == set()


def test_every_field_of_a_person_is_chosen_or_stays():
    chosen = {name for kept in CHOSEN for name in kept.names}

    assert chosen | NOT_CHOSEN == {field.name for field in Trainee._meta.concrete_fields}
    assert not chosen & NOT_CHOSEN


def fake(monkeypatch, *, constraints=(), unique=False, unique_together=(), primary_key=False, pk=None):
    """A relation that nobody has told merging about, as ``relations_to`` would find it."""
    meta = SimpleNamespace(
        label="survey.Answer", constraints=list(constraints), unique_together=unique_together, pk=pk, proxy=False
    )
    field = SimpleNamespace(name="trainee", unique=unique, primary_key=primary_key)
    found = [*relations_to(Trainee), Relation(SimpleNamespace(_meta=meta), field)]
    monkeypatch.setattr(plan, "relations_to", lambda model: found if model is Trainee else relations_to(model))


UNKNOWN = {
    "constraint": {"constraints": [models.UniqueConstraint(fields=["trainee", "question"], name="one_answer")]},
    "one to one": {"unique": True},
    "unique together": {"unique_together": (("trainee", "question"),)},
    "expression": {"constraints": [models.UniqueConstraint(models.F("trainee"), name="one_answer_in_words")]},
    "key": {"primary_key": True, "unique": True},
    "composite key": {"pk": models.CompositePrimaryKey("trainee", "day")},
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_a_new_relation_that_may_stand_only_once_is_told(monkeypatch, what):
    fake(monkeypatch, **UNKNOWN[what])

    assert any(sentence.startswith("survey.Answer.trainee") for sentence in unhandled())


def test_a_new_relation_without_limits_needs_nothing(monkeypatch):
    fake(monkeypatch)

    assert unhandled() == []

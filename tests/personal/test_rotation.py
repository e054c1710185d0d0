"""A change of keys forgets nothing, stops at what it cannot read, and leaves nothing half written."""

import threading
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.utils.translation import override

from incubator.common import diagnosis, sealed
from incubator.common.encryption import EncryptedTextField, Undecipherable, encrypt
from incubator.common.errors import RuleBroken
from incubator.common.resealing import SealedColumn
from incubator.common.sealed_files import SealedFileField
from tests.factories import TraineeFactory, region
from tests.personal.world import (
    ID_NUMBER,
    OLD_KEY,
    OTHER_KEY,
    PHONE,
    indexes,
    keys,
    make_sealed_world,
    what_it_says,
)
from trainees.identity import phone_index
from trainees.models import IndexKey, Trainee
from trainees.queries import person_q
from trainees.services import INDEXED, NewTrainee, enter_trainees

# Binary columns that hold nothing sealed, each with what it is.
NOT_SEALED = {
    "trainees_trainee.id_number_index": "a blind index",
    "trainees_trainee.phone_index": "a blind index",
    "rosters_rosterrow.id_number_index": "a blind index; a workbook is checked again under a new key",
    "rosters_rosterrow.phone_index": "a blind index; a workbook is checked again under a new key",
}


STAGED = ("id_number", "phone", "id_number_anew", "phone_anew")  # what rosters seals for people to come


@pytest.fixture
def world(db):
    return make_sealed_world()


@pytest.fixture
def new_key(settings):
    """The present key becomes an old one."""

    def change():
        settings.PERSONAL_DATA_OLD_KEYS, settings.PERSONAL_DATA_KEY = [OLD_KEY], OTHER_KEY

    return change


def rotate(*arguments):
    out = StringIO()
    call_command("rotate_keys", *arguments, stdout=out)
    return out.getvalue()


# --- Nothing is forgotten ---------------------------------------------------------------------------------------------


def ours():
    return [
        model for model in apps.get_models() if model.__module__.split(".")[0] in ("incubator", "trainees", "courses")
    ]


def test_every_binary_column_is_sealed_or_named_here():
    registered = {str(column) for column in sealed.sealed_columns()} | set(NOT_SEALED)
    binary = {
        f"{model._meta.db_table}.{field.column}"
        for model in ours()
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.BinaryField)
    }

    assert binary == registered, "register_sealed_column() those that are sealed, name the others in NOT_SEALED"


def test_every_file_lies_sealed():
    plain = [
        str(field)
        for model in ours()
        for field in model._meta.local_concrete_fields
        if isinstance(field, models.FileField) and not isinstance(field, SealedFileField)
    ]

    assert plain == [], "use SealedFileField, or name the file here with why it may lie in clear"


def test_what_a_room_registers_is_found(monkeypatch):
    monkeypatch.setattr(sealed, "_REGISTERED", [])
    column = SealedColumn("a_table", "secret")
    sealed.register_sealed_column(column)
    sealed.register_sealed_column(column)

    assert sealed.sealed_columns().count(column) == 1


def test_everything_sealed_is_sealed_anew_and_says_the_same(world, new_key, settings):
    said = what_it_says(world)
    new_key()
    before = keys()
    assert all(old and not present for present, old, _unknown in before.values()), f"nothing to lose in {before}"

    told = rotate()

    after = keys()
    assert after == {place: (old, 0, 0) for place, (_present, old, _unknown) in before.items()}
    assert "can be emptied" in told
    settings.PERSONAL_DATA_OLD_KEYS = []
    assert what_it_says(world) == said
    assert "Everything" in rotate(), "a second run has nothing to do"


def test_the_world_has_one_of_everything(world):
    assert {field for column in sealed.sealed_columns() for field in [str(column)]} <= set(keys())
    encrypted = [f for m in ours() for f in m._meta.local_concrete_fields if isinstance(f, EncryptedTextField)]
    assert len(sealed.sealed_columns()) == len(encrypted) + len(STAGED)
    assert all(present for present, _, _ in keys().values())


# --- Said, not done ---------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_how_much_there_is_and_ends_with_1(world, new_key):
    assert "0 of old ones" in rotate("--dry-run")
    new_key()
    before, out = keys(), StringIO()

    with pytest.raises(CommandError) as ended:
        call_command("rotate_keys", "--dry-run", stdout=out)

    assert ended.value.returncode == 1 and keys() == before
    assert "trainees_trainee.phone: 0 of the present key, 1 of old ones, 0 of unknown ones" in out.getvalue()


@pytest.mark.parametrize("key", ["short", "g" * 64, ""])
def test_a_key_that_is_none_ends_with_2(world, settings, key):
    settings.PERSONAL_DATA_KEY = key
    with pytest.raises(CommandError) as ended:
        rotate()
    assert ended.value.returncode == 2 and "PERSONAL_DATA_KEY" in str(ended.value)

    settings.PERSONAL_DATA_KEY, settings.PERSONAL_DATA_OLD_KEYS = OTHER_KEY, [key]
    with pytest.raises(CommandError) as ended:
        rotate()
    assert ended.value.returncode == 2 and "PERSONAL_DATA_OLD_KEYS" in str(ended.value)


# --- Stopped ----------------------------------------------------------------------------------------------------------


def test_a_missing_old_key_stops_at_the_first_row_and_writes_nothing(world, settings):
    settings.PERSONAL_DATA_KEY = OTHER_KEY
    before = raw()

    with pytest.raises(CommandError) as ended:
        rotate()

    assert ended.value.returncode == 1 and raw() == before
    assert "row" in str(ended.value) and "PERSONAL_DATA_OLD_KEYS" in str(ended.value)
    assert PHONE not in str(ended.value) and ID_NUMBER not in str(ended.value)


def raw():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, id_number, phone FROM trainees_trainee ORDER BY id")
        return cursor.fetchall()


def test_a_damaged_value_is_named_and_the_batches_before_it_stay(db, new_key):
    people = [TraineeFactory(phone=f"+861542027{n:04d}") for n in range(5)]
    with connection.cursor() as cursor:
        other = encrypt(PHONE, context="trainees_trainee.phone", row=people[0].pk)
        cursor.execute("UPDATE trainees_trainee SET phone = %s WHERE id = %s", [other, people[3].pk])
    new_key()

    with pytest.raises(CommandError, match=f"trainees_trainee.phone, row {people[3].pk}"):
        rotate("--batch", "2")

    assert keys()["trainees_trainee.phone"] == (2, 3, 0), "the first batch is written, of the second nothing"
    TraineeFactory._meta.model.objects.filter(pk=people[3].pk).delete()
    rotate("--batch", "2")
    assert keys()["trainees_trainee.phone"] == (4, 0, 0), "run again, it goes on where it was"


def test_a_process_with_the_old_key_that_writes_meanwhile_is_found(world, new_key, settings, monkeypatch):
    from incubator.common.management.commands import rotate_keys

    def reseal_and_be_disturbed(*arguments, **more):
        yield from sealed_anew(*arguments, **more)
        settings.PERSONAL_DATA_OLD_KEYS, settings.PERSONAL_DATA_KEY = [], OLD_KEY
        TraineeFactory(phone="+8615420270009")
        new_key()

    sealed_anew = rotate_keys.reseal
    monkeypatch.setattr(rotate_keys, "reseal", reseal_and_be_disturbed)
    new_key()

    with pytest.raises(CommandError, match="Start every process of the application anew"):
        rotate()
    monkeypatch.undo()
    settings.PERSONAL_DATA_OLD_KEYS, settings.PERSONAL_DATA_KEY = [OLD_KEY], OTHER_KEY
    assert "Everything" in rotate()


@pytest.mark.django_db(transaction=True)
def test_what_the_application_writes_meanwhile_stays(new_key, settings):
    people = [TraineeFactory(phone=f"+861542027{n:04d}") for n in range(300)]
    new_key()
    failures = []

    def work():
        try:
            for n, person in enumerate(people):
                found = Trainee.objects.get(pk=person.pk)
                found.phone = f"+861542028{n:04d}"
                found.save(update_fields=["phone"])
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    rotate("--batch", "7")
    thread.join()

    assert not failures
    assert [p.phone for p in Trainee.objects.order_by("pk")] == [f"+861542028{n:04d}" for n in range(300)]
    assert keys()["trainees_trainee.phone"] == (300, 0, 0)


# --- The key that finds -----------------------------------------------------------------------------------------------


def test_indexes_are_made_anew_and_people_are_found_by_the_new_key(world, settings):
    before = indexes()
    settings.PERSONAL_INDEX_KEY = OTHER_KEY
    assert not Trainee.objects.filter(person_q(PHONE)).exists()

    told = rotate("--index")

    assert Trainee.objects.get(person_q(PHONE)) == Trainee.objects.get(person_q(ID_NUMBER)) == world["trainee"]
    after = indexes()
    assert [pk for pk, *_ in after] == [pk for pk, *_ in before]
    assert after[-1][1:] != before[-1][1:] and None not in after[-1]
    assert "Nothing is to be done" not in told and "Nothing is to be done" in rotate("--index")


def test_under_another_index_key_nobody_is_entered_twice(world, settings):
    person = NewTrainee(name="王小明", county=region("622927"), id_number=ID_NUMBER, phone=PHONE)
    settings.PERSONAL_INDEX_KEY = OTHER_KEY

    with pytest.raises(RuleBroken, match="doctor"):
        enter_trainees([person], year=2026)
    assert Trainee.objects.filter(name="王小明").count() == 1


def test_the_first_person_tells_the_key(db):
    assert INDEXED.made_with() is None
    enter_trainees([NewTrainee(name="a", county=region("622927"))], year=2026)
    assert INDEXED.made_with() == IndexKey.objects.get().fingerprint


def test_a_damaged_value_leaves_all_indexes_as_they_were(world, settings):
    two = TraineeFactory(phone=PHONE, phone_index=phone_index(PHONE))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trainees_trainee SET phone = %s WHERE id = %s", [bytes(40), two.pk])
    before, known = indexes(), INDEXED.made_with()
    settings.PERSONAL_INDEX_KEY = OTHER_KEY

    with pytest.raises(CommandError, match=f"trainees_trainee.phone, row {two.pk}"):
        rotate("--index", "--batch", "1")
    assert (indexes(), INDEXED.made_with()) == (before, known)


def test_a_dry_run_of_the_index_changes_nothing(world, settings):
    settings.PERSONAL_INDEX_KEY = OTHER_KEY
    before = indexes()
    with pytest.raises(CommandError) as ended:
        rotate("--index", "--dry-run")
    assert ended.value.returncode == 1 and indexes() == before


@pytest.fixture
def in_english():
    with override("en"):
        yield


# --- Doctor -----------------------------------------------------------------------------------------------------------


def test_the_doctor_tells_old_unknown_and_index_keys(world, new_key, settings, in_english):
    assert diagnosis.personal_data() == diagnosis.ok("all of the present key")

    new_key()
    assert diagnosis.personal_data().level == "warning" and "rotate_keys" in diagnosis.personal_data().text
    rotate()
    assert diagnosis.personal_data().level == "ok"

    settings.PERSONAL_INDEX_KEY = OTHER_KEY
    assert diagnosis.personal_data().level == "problem" and "--index" in diagnosis.personal_data().text

    settings.PERSONAL_DATA_KEY, settings.PERSONAL_DATA_OLD_KEYS = "e" * 64, []
    assert diagnosis.personal_data().level == "problem" and "cannot be read" in diagnosis.personal_data().text
    with pytest.raises(Undecipherable), transaction.atomic():
        what_it_says(world)


def test_the_doctor_looks_at_files(world, new_key, in_english):
    for name in ("roster", "figures"):
        Path(world[name].file.path).write_bytes(b"\x02" + bytes(60))
    assert "2 values" in diagnosis.personal_data().text

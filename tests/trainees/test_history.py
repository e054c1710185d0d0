"""What was changed about people is noted, masked, and stays."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from tests import factories
from trainees.choices import ChangeKind
from trainees.history import Change, differences, origin_of, record_changes
from trainees.models import Trainee, TraineeChange
from trainees.services import change_trainee

pytestmark = pytest.mark.django_db
ID_NUMBER, PHONE = "11010519491231002X", "+8613800001234"


def test_a_change_by_hand_is_written_and_noted():
    person, clerk = factories.TraineeFactory(name="王小明", township="吹麻滩镇"), factories.UserFactory()

    assert change_trainee(person, by=clerk, values={"name": "李小明", "township": "吹麻滩镇"}, why="身份证")

    row = Trainee.objects.get(pk=person.pk)
    [change] = TraineeChange.objects.filter(trainee=person)
    assert (row.name, row.initials) == ("李小明", "lxm")
    assert change.fields == {"name": ["王小明", "李小明"]}
    assert (change.kind, change.by, change.why) == (ChangeKind.EDITED, clerk, "身份证")


def test_what_is_the_same_already_leaves_no_trace():
    person = factories.TraineeFactory(name="王小明")

    assert not change_trainee(person, by=None, values={"name": "王小明"})

    assert not TraineeChange.objects.exists()


def test_a_change_leaves_alone_what_others_wrote_meanwhile():
    person = factories.TraineeFactory(name="王小明", township="吹麻滩镇")
    Trainee.objects.filter(pk=person.pk).update(township="大河家镇")

    change_trainee(person, by=None, values={"name": "王大明"})

    assert Trainee.objects.get(pk=person.pk).township == "大河家镇"


@pytest.mark.parametrize("name", ["county", "phone", "id_number", "number", "initials"])
def test_what_a_person_is_found_by_is_not_changed_by_hand(name):
    with pytest.raises(ValueError, match=name):
        change_trainee(factories.TraineeFactory(), by=None, values={name: "x"})


def test_personal_numbers_are_noted_masked():
    person = factories.TraineeFactory()
    fields = {"phone": ("", PHONE), "id_number": (ID_NUMBER, None), "born_on": (None, date(2000, 2, 29))}

    record_changes([Change(person.pk, fields)], kind=ChangeKind.IMPORTED, by=None, origin=person.county)

    [change] = TraineeChange.objects.all()
    assert change.fields == {
        "phone": ["", "138****1234"],
        "id_number": ["110105********002X", ""],
        "born_on": ["", "2000-**-**"],
    }
    assert change.origin == origin_of(person.county) == "regions.region/622927"


@pytest.mark.parametrize("fields", [{"phone": ["", PHONE]}, {"id_number": [ID_NUMBER, ""]}, {"phone": PHONE}])
def test_the_database_refuses_a_whole_number(fields):
    with pytest.raises(IntegrityError, match="no_whole_number"):
        TraineeChange.objects.create(trainee=factories.TraineeFactory(), kind=ChangeKind.EDITED, fields=fields)


def test_history_is_neither_changed_nor_deleted():
    change = TraineeChange.objects.create(trainee=factories.TraineeFactory(), kind=ChangeKind.EDITED)
    for forbidden in (
        lambda: TraineeChange.objects.update(why="never"),
        lambda: TraineeChange.objects.filter(pk=change.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            forbidden()


def test_a_statement_of_its_own_can_write_it():
    """What the module says about sets: the columns that are left out have defaults in the database."""
    person = factories.TraineeFactory(township="甲")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trainees_traineechange (trainee_id, kind, fields) SELECT id, 'imported', "
            "jsonb_strip_nulls(jsonb_build_object('township', jsonb_build_array(township, %s::text), 'name', NULL)) "
            "FROM trainees_trainee",
            ["乙"],
        )
    [change] = TraineeChange.objects.all()
    assert (change.trainee, change.fields, change.why) == (person, {"township": ["甲", "乙"]}, "")
    assert change.at is not None


def test_history_of_a_stranger_is_not_seen():
    change = TraineeChange.objects.create(trainee=factories.TraineeFactory(), kind=ChangeKind.EDITED)

    assert list(TraineeChange.objects.visible_to(factories.official("622927"))) == [change]
    assert not TraineeChange.objects.visible_to(factories.official("520526")).exists()


def test_differences_are_what_differs():
    person = factories.TraineeFactory(name="甲", township="乙")

    assert differences(person, {"name": "甲", "township": "丙"}) == {"township": ("乙", "丙")}

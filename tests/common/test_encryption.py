"""Personal data at rest: found without being readable, and never handed out under a wrong key."""

import copy
import json
import pickle

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.core.serializers import serialize
from django.db import connection, models, transaction

from incubator.common.encryption import (
    HEAD,
    NONCE_BYTES,
    NONCES_TOGETHER,
    EncryptedTextField,
    Undecipherable,
    blind_index,
    decrypt,
    encrypt,
    indexer,
    is_of_present_key,
    sealed_for,
    sealer,
)
from tests.factories import TraineeFactory
from trainees.identity import id_number_index
from trainees.models import Trainee
from trainees.services import NewTrainee, enter_trainees

OTHER_KEY = "f" * 64


def test_encrypted_text_comes_back_and_differs_each_time():
    first, second = encrypt("62000019980203121X", context="a.b"), encrypt("62000019980203121X", context="a.b")

    assert first != second
    assert decrypt(first, context="a.b") == decrypt(second, context="a.b") == "62000019980203121X"


def test_many_rows_are_sealed_each_for_itself_and_no_nonce_is_used_twice():
    seal, count = sealer("a.b"), 2 * NONCES_TOGETHER + 1
    sealed = [seal("62000019980203121X", row) for row in range(count)]

    assert {decrypt(stored, context="a.b", row=row) for row, stored in enumerate(sealed)} == {"62000019980203121X"}
    assert len({stored[HEAD : HEAD + NONCE_BYTES] for stored in sealed}) == count
    with pytest.raises(Undecipherable):
        decrypt(sealed[0], context="a.b", row=1)


def test_many_texts_get_the_index_that_each_would_get_alone():
    index = indexer("trainee.phone")

    for text in ("+8615412345678", "", "王小明", "+8615412345678"):
        assert index(text) == blind_index(text, context="trainee.phone")


def test_ciphertext_moved_to_another_column_is_refused():
    sealed = encrypt("secret", context="trainee.phone")

    with pytest.raises(Undecipherable):
        decrypt(sealed, context="trainee.id_number")


@pytest.mark.parametrize("position", [0, 5, 13, -1])
def test_altered_bytes_are_refused(position):
    sealed = bytearray(encrypt("secret", context="a.b"))
    sealed[position] ^= 1

    with pytest.raises(Undecipherable):
        decrypt(bytes(sealed), context="a.b")


def test_blind_index_is_equal_for_equal_texts_and_differs_by_context_and_key(settings):
    index = blind_index("154", context="trainee.phone")
    assert index == blind_index("154", context="trainee.phone")
    assert index != blind_index("154", context="trainee.id_number")

    settings.PERSONAL_INDEX_KEY = OTHER_KEY
    assert index != blind_index("154", context="trainee.phone")


@pytest.mark.django_db
def test_a_trainee_under_a_wrong_key_raises_and_the_row_stays(settings):
    trainee = TraineeFactory(phone="+8615400000001")
    settings.PERSONAL_DATA_KEY = OTHER_KEY

    loaded = Trainee.objects.get(pk=trainee.pk)
    for use in (lambda: loaded.phone, lambda: loaded.masked_phone, loaded.save, loaded.refresh_from_db):
        with pytest.raises(Undecipherable), transaction.atomic():
            use()

    settings.PERSONAL_DATA_KEY = "0" * 63 + "1"
    assert Trainee.objects.get(pk=trainee.pk).phone == "+8615400000001"


@pytest.mark.django_db
def test_the_table_holds_neither_id_number_nor_phone_in_clear():
    number = "62000019980203121X"
    TraineeFactory(id_number=number, id_number_index=id_number_index(number), phone="+8615400000001")

    with connection.cursor() as cursor:
        cursor.execute("SELECT trainees_trainee::text FROM trainees_trainee")
        row = cursor.fetchone()[0]
    assert number not in row and number.encode().hex() not in row
    assert b"15400000001".hex() not in row
    assert Trainee.objects.filter(id_number_index=id_number_index(number)).exists()


def test_ciphertext_moved_to_another_row_is_refused():
    sealed = encrypt("secret", context="trainee.phone", row=1)

    assert decrypt(sealed, context="trainee.phone", row=1) == "secret"
    for row in (2, None):
        with pytest.raises(Undecipherable):
            decrypt(sealed, context="trainee.phone", row=row)


def test_an_old_key_opens_but_no_longer_seals(settings):
    sealed = encrypt("secret", context="a.b")
    settings.PERSONAL_DATA_OLD_KEYS = [settings.PERSONAL_DATA_KEY]
    settings.PERSONAL_DATA_KEY = OTHER_KEY

    assert decrypt(sealed, context="a.b") == "secret" and not is_of_present_key(sealed)
    assert is_of_present_key(encrypt("secret", context="a.b"))

    settings.PERSONAL_DATA_OLD_KEYS = []
    with pytest.raises(Undecipherable):
        decrypt(sealed, context="a.b")


# --- Bound to the row -------------------------------------------------------------------------------------------------

PHONE, ANOTHER = "+8615400000001", "+8615400000002"


def stored(trainee) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM trainees_trainee WHERE id = %s", [trainee.pk])
        return bytes(cursor.fetchone()[0])


def opened(trainee) -> str:
    return decrypt(stored(trainee), context="trainees_trainee.phone", row=trainee.pk)


@pytest.mark.django_db
def test_a_value_copied_to_another_persons_row_is_refused_and_the_others_stay_readable():
    one, two = TraineeFactory(phone=PHONE), TraineeFactory(phone=ANOTHER, id_number="x")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trainees_trainee SET phone = %s WHERE id = %s", [stored(one), two.pk])

    loaded = Trainee.objects.get(pk=two.pk)

    assert loaded.id_number == "x" and loaded.name
    with pytest.raises(Undecipherable):
        _ = loaded.phone
    with pytest.raises(Undecipherable):
        loaded.save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda trainee: trainee.save(),
        lambda trainee: trainee.save(update_fields=["phone"]),
        lambda trainee: Trainee.objects.bulk_update([trainee], ["phone", "name"]),
        lambda trainee: Trainee.objects.filter(pk=trainee.pk).update(
            **sealed_for(Trainee, trainee.pk, phone=trainee.phone)
        ),
        lambda trainee: Trainee.objects.update_or_create(pk=trainee.pk, defaults={"phone": trainee.phone}),
    ],
)
def test_every_way_of_writing_seals_for_the_row(write):
    trainee = TraineeFactory(phone=PHONE)
    trainee.phone = ANOTHER

    write(trainee)

    assert opened(trainee) == trainee.phone == ANOTHER
    assert Trainee.objects.get(pk=trainee.pk).phone == ANOTHER


@pytest.mark.django_db
def test_many_new_rows_get_keys_before_they_are_sealed(django_assert_num_queries):
    county = TraineeFactory(number="T1").county
    enter_trainees([], year=2026)  # the first to come makes the index key known
    people = [NewTrainee(name=f"学员{n}", county=county, phone=f"+861540000{n:04d}") for n in range(30)]

    with django_assert_num_queries(5):  # lock, index key, keys, numbers, rows
        entered = enter_trainees.__wrapped__(people, year=2026)

    assert [opened(trainee) for trainee in entered] == [person.phone for person in people]


@pytest.mark.django_db
def test_rows_created_in_bulk_without_keys_get_them():
    county = TraineeFactory(number="T1").county
    [made] = Trainee.objects.bulk_create([Trainee(number="T2", name="a", county=county, phone=PHONE)])

    assert opened(made) == PHONE


@pytest.mark.django_db
def test_deferred_refreshed_and_copied_objects_read_what_is_theirs():
    trainee = TraineeFactory(phone=PHONE)
    deferred = Trainee.objects.defer("phone").get(pk=trainee.pk)
    Trainee.objects.filter(pk=trainee.pk).update(**sealed_for(Trainee, trainee.pk, phone=ANOTHER))

    assert deferred.phone == Trainee.objects.only("phone").get(pk=trainee.pk).phone == ANOTHER
    trainee.refresh_from_db()
    assert trainee.phone == copy.deepcopy(Trainee.objects.get(pk=trainee.pk)).phone == ANOTHER

    copied = Trainee.objects.get(pk=trainee.pk)
    copied.pk = None
    with pytest.raises(Undecipherable):
        copied.save()


@pytest.mark.django_db
def test_none_stays_null():
    trainee = TraineeFactory(phone=PHONE)
    trainee.phone = None
    Trainee.objects.bulk_update([trainee], ["phone"])

    assert Trainee.objects.filter(phone=None, id_number__isnull=True).get() == trainee
    assert Trainee.objects.get().phone is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Trainee.objects.update(phone=ANOTHER),
        lambda: Trainee.objects.update(phone=Trainee.objects.values_list("phone", flat=True).first()),
        lambda: Trainee.objects.update(phone=b"bytes"),
        lambda: Trainee.objects.bulk_create(
            [], update_conflicts=True, unique_fields=["id_number_index"], update_fields=["phone"]
        ),
        lambda: sealed_for(Trainee, None, phone=PHONE),
        lambda: sealed_for(Trainee, 1, name="plain"),
        lambda: Trainee.objects.filter(phone=PHONE).count(),
        lambda: Trainee.objects.filter(phone__startswith="+86").count(),
        lambda: serialize("json", Trainee.objects.all()),
    ],
)
def test_what_would_lose_the_binding_is_refused(wrong):
    trainee = TraineeFactory(phone=PHONE)

    with pytest.raises((TypeError, FieldError)), transaction.atomic():
        wrong()
    assert opened(trainee) == PHONE


@pytest.mark.django_db
@pytest.mark.parametrize("use", [str, format, pickle.dumps, json.dumps, lambda value: f"{value}", "{}".format])
def test_a_value_without_its_row_is_not_shown_or_serialised(use):
    TraineeFactory(phone=PHONE)
    value = Trainee.objects.values_list("phone", flat=True).get()

    with pytest.raises(TypeError):
        use(value)
    assert repr(value) == "<sealed>" and PHONE not in repr(Trainee.objects.values().get())


@pytest.mark.django_db
def test_a_sealed_value_is_opened_under_an_old_key_and_saved_under_the_present(settings):
    trainee = TraineeFactory(phone=PHONE)
    settings.PERSONAL_DATA_OLD_KEYS = [settings.PERSONAL_DATA_KEY]
    settings.PERSONAL_DATA_KEY = OTHER_KEY
    loaded = Trainee.objects.get(pk=trainee.pk)
    assert loaded.phone == PHONE and not is_of_present_key(stored(trainee))

    loaded.save()

    assert is_of_present_key(stored(trainee))


def test_a_model_whose_manager_would_not_bind_is_told():
    field = Trainee._meta.get_field("phone")
    assert not field.check()

    class Unbinding(models.Model):  # noqa: DJ008
        secret = EncryptedTextField(bound=True)

        class Meta:
            app_label = "trainees"

    apps.all_models["trainees"].pop("unbinding")
    assert [error.id for error in Unbinding._meta.get_field("secret").check()] == ["common.E001"]

"""Personal data at rest: found without being readable, and never handed out under a wrong key."""

import pytest
from django.db import connection

from incubator.common.encryption import Undecipherable, blind_index, decrypt, encrypt, is_of_present_key
from tests.factories import TraineeFactory
from trainees.identity import id_number_index
from trainees.models import Trainee

OTHER_KEY = "f" * 64


def test_encrypted_text_comes_back_and_differs_each_time():
    first, second = encrypt("62000019980203121X", context="a.b"), encrypt("62000019980203121X", context="a.b")

    assert first != second
    assert decrypt(first, context="a.b") == decrypt(second, context="a.b") == "62000019980203121X"


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

    with pytest.raises(Undecipherable):
        Trainee.objects.get(pk=trainee.pk)

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

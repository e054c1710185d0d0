"""Personal data leaves masked; in full only for who may and says why. Whoever takes a list of people is recorded."""

from datetime import date, datetime

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured

from incubator.accounts.choices import StaffGroup
from incubator.accounts.models import AccessRecord, Posting, User
from incubator.accounts.services import ensure_groups
from incubator.common.encryption import EncryptedTextField
from incubator.common.exports import resource_for
from incubator.programmes.models import Cohort, Participation
from incubator.regions.models import Region
from tests import factories
from tests.desk.world import county_staff, registered
from tests.exports.test_lists import address, exported
from trainees.identity import id_number_index, phone_index
from trainees.models import Trainee

HERE = "622927"
ID_NUMBER, PHONE = "622927199503071239", "+8613812345678"

pytestmark = pytest.mark.django_db


@pytest.fixture
def person():
    return factories.TraineeFactory(
        name="张三",
        id_number=ID_NUMBER,
        id_number_index=id_number_index(ID_NUMBER),
        phone=PHONE,
        phone_index=phone_index(PHONE),
        born_on=date(1995, 3, 7),
        county=factories.region(HERE),
    )


def clerk(*, may=True):
    """Staff of the county with every permission but, perhaps, the one that is asked about."""
    user = county_staff(HERE)
    if not may:
        user.user_permissions.set(Permission.objects.exclude(codename="export_personal_data"))
    return User.objects.get(pk=user.pk)


def test_without_asking_everything_personal_is_masked(client, person):
    client.force_login(clerk())

    rows, text = exported(client, Trainee)
    row = dict(zip(rows[0], rows[1], strict=True))
    assert (row["Phone"], row["ID number"], row["Date of birth"]) == ("138****5678", "622927********1239", 1995)
    assert not any(secret in text for secret in (ID_NUMBER, PHONE, "13812345678", "19950307", "1995-03"))


def test_asked_for_with_a_reason_it_is_in_full_and_recorded(client, person):
    factories.TraineeFactory(county=person.county)
    user = clerk()
    client.force_login(user)

    rows, _text = exported(client, Trainee, in_clear="on", reason="体检名单")
    row = next(one for one in (dict(zip(rows[0], cells, strict=True)) for cells in rows[1:]) if one["Phone"])
    assert (row["Phone"], row["ID number"], row["Date of birth"]) == (PHONE, ID_NUMBER, datetime(1995, 3, 7))
    record = AccessRecord.objects.get()
    assert (record.kind, record.by, record.what, record.count) == ("export", user, "trainees.trainee", 2)
    assert record.reason == "体检名单"
    assert {"phone_masked", "id_number", "born_on"} <= set(record.fields)
    assert not any("masked" in name.split(":")[1:] for name in record.fields)


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_there_is_no_file(client, person, reason):
    client.force_login(clerk())

    answer = client.post(address(Trainee), {"format": "0", "in_clear": "on", "reason": reason})
    assert answer.status_code == 200 and not answer.streaming
    assert "Say what personal data in full is needed for." in answer.content.decode()
    assert not AccessRecord.objects.exists()


def test_without_the_permission_it_is_not_offered_and_asking_gives_masks(client, person):
    client.force_login(clerk(may=False))

    assert "in_clear" not in client.get(address(Trainee)).content.decode()
    _rows, text = exported(client, Trainee, in_clear="on", reason="x")
    assert ID_NUMBER not in text and PHONE not in text
    assert "phone_masked:masked" in AccessRecord.objects.get().fields


def test_the_permission_is_in_no_group():
    ensure_groups()

    for name in StaffGroup.values:
        granted = Permission.objects.filter(group__name=name, codename="export_personal_data")
        assert not granted.exists(), name


def test_it_is_offered_only_where_the_list_has_such_columns(client, person):
    client.force_login(clerk())

    assert 'name="in_clear"' in client.get(address(Trainee)).content.decode()
    factories.ParticipationFactory(trainee=person)
    assert 'name="in_clear"' not in client.get(address(Participation)).content.decode()


def test_masked_exports_of_people_are_recorded_too(client, person):
    factories.ParticipationFactory(trainee=person)
    client.force_login(clerk())

    exported(client, Participation)
    record = AccessRecord.objects.get()
    assert (record.what, record.count, record.reason) == ("programmes.participation", 1, "")
    assert {"name", "county"} <= set(record.fields)


def test_lists_that_name_nobody_leave_no_record(client):
    factories.region(HERE)
    factories.CohortFactory()
    client.force_login(factories.superuser())

    exported(client, Region)
    exported(client, Cohort)
    assert not AccessRecord.objects.exists()


def test_without_its_record_the_file_is_not_handed_out(client, person, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("no record")

    monkeypatch.setattr("incubator.exports.services.record_access", fails)
    client.force_login(clerk())
    client.raise_request_exception = False

    assert client.post(address(Trainee), {"format": "0"}).status_code == 500


def test_a_number_that_was_searched_for_is_not_repeated_in_the_file(client, person):
    client.force_login(factories.superuser())

    for term in ("13812345678", ID_NUMBER):
        _rows, text = exported(client, Trainee, query=f"q={term}")
        assert term not in text and "a number, not repeated here" in text


def test_no_list_has_an_encrypted_column_without_a_mask():
    """A column that is ciphertext in the table is exported through a mask, or not at all."""
    for model, desk in registered():
        sealed = {f.name for f in model._meta.concrete_fields if isinstance(f, EncryptedTextField)}
        masked = {column.name for column in desk.all_exported if column.masked}
        assert not sealed & {c for c in desk.list_display if isinstance(c, str)}, model
        assert not (sealed & {column.name for column in desk.all_exported}) - masked, model


def test_an_encrypted_column_in_a_list_is_refused(rf, person, monkeypatch):
    desk = dict(registered())[Trainee]
    monkeypatch.setattr(desk, "list_display", ["number", "phone"])
    request = rf.get("/")
    request.user = factories.superuser()
    with pytest.raises(ImproperlyConfigured, match="encrypted"):
        resource_for(desk, request)


def test_posting_that_ended_exports_nothing(client, person):
    client.force_login(clerk())
    Posting.objects.update(ends_on="2020-06-01")

    answer = client.post(address(Trainee), {"format": "0"})
    assert "There is nothing to export" in answer.content.decode()

"""Sealing anew what is stored: in batches, only what was read, never half."""

import os
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.db import connection

from incubator.common.encryption import Undecipherable, encrypt, head, is_of_present_key
from incubator.common.resealing import (
    SealedColumn,
    SealedFiles,
    count_other_keys,
    reseal,
    reseal_files,
    unseal_earlier,
)
from incubator.figures.models import FiguresImport
from incubator.jobs.models import Job
from incubator.metrics.models import Authorisation
from incubator.rosters.models import RosterImport
from tests.factories import SHANGHAI, CohortFactory, CreatorAccountFactory, TraineeFactory, UserFactory, region
from trainees.models import Trainee

PHONE = "+8615400000001"
COLUMN = SealedColumn("trainees_trainee", "phone")
OTHER_KEY = "f" * 64


def by_the_first_method(text: str, *, context: str) -> bytes:
    nonce = os.urandom(12)
    box = AESGCM(bytes.fromhex(django_settings.PERSONAL_DATA_KEY))
    return b"\x01" + nonce + box.encrypt(nonce, text.encode(), context.encode())


def put(pk: int, stored: bytes, column: str = "phone") -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE trainees_trainee SET {column} = %s WHERE id = %s", [stored, pk])  # noqa: S608


def stored() -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, phone FROM trainees_trainee ORDER BY id")
        return {pk: bytes(value) for pk, value in cursor.fetchall()}


def migrate(name: str) -> None:
    """What a migration does with the rows that are there."""
    import_module(name).bind(None, None)


@pytest.mark.django_db
def test_the_migration_binds_what_earlier_methods_sealed_and_can_run_again():
    first, second, bound = (TraineeFactory(phone=PHONE) for _ in range(3))
    put(first.pk, by_the_first_method("+8615400000009", context=COLUMN.context))
    put(first.pk, by_the_first_method("62000019980203121X", context="trainees_trainee.id_number"), "id_number")
    put(second.pk, encrypt("+8615400000008", context=COLUMN.context))
    as_it_was = stored()[bound.pk]

    migrate("trainees.migrations.0004_bind_personal_data")

    after = stored()
    assert after[bound.pk] == as_it_was and all(is_of_present_key(value) for value in after.values())
    one, two, three = Trainee.objects.order_by("pk")
    assert (one.phone, one.id_number) == ("+8615400000009", "62000019980203121X")
    assert (two.phone, three.phone) == ("+8615400000008", PHONE)

    migrate("trainees.migrations.0004_bind_personal_data")
    assert stored() == after


@pytest.mark.django_db
def test_the_migration_binds_tokens():
    at = datetime(2026, 3, 1, tzinfo=SHANGHAI)
    account = CreatorAccountFactory()
    Authorisation.objects.create(
        account=account,
        external_id="x",
        access_token="a",
        refresh_token="r",
        access_expires_at=at,
        refresh_expires_at=at,
        granted_at=at,
    )
    with connection.cursor() as cursor:
        for name in ("access_token", "refresh_token"):
            old = by_the_first_method(f"my {name}", context=f"metrics_authorisation.{name}")
            cursor.execute(f"UPDATE metrics_authorisation SET {name} = %s", [old])  # noqa: S608

    migrate("incubator.metrics.migrations.0007_bind_tokens")

    found = Authorisation.objects.get()
    assert (found.access_token, found.refresh_token) == ("my access_token", "my refresh_token")


@pytest.mark.django_db
def test_the_migration_stops_at_what_no_key_opens_and_names_the_row():
    good, bad = TraineeFactory(phone=PHONE), TraineeFactory(phone=PHONE)
    for trainee in (good, bad):
        put(trainee.pk, by_the_first_method(PHONE, context=COLUMN.context))
    put(bad.pk, b"\x01" + bytes(40))
    before = stored()

    with pytest.raises(Undecipherable, match=f"trainees_trainee.phone, row {bad.pk}"):
        migrate("trainees.migrations.0004_bind_personal_data")
    assert stored() == before, "nothing of the batch is written"


@pytest.mark.django_db
def test_values_of_an_old_key_are_sealed_anew_in_batches(settings):
    people = [TraineeFactory(phone=f"+861540000{n:04d}") for n in range(5)]
    settings.PERSONAL_DATA_OLD_KEYS, settings.PERSONAL_DATA_KEY = [settings.PERSONAL_DATA_KEY], OTHER_KEY
    people.append(TraineeFactory(phone="+8615400000005"))
    assert count_other_keys(COLUMN) == 5

    batches = [(batch.looked_at, batch.resealed) for batch in reseal(COLUMN, size=2)]

    assert batches == [(2, 2), (2, 2), (1, 1)]
    assert count_other_keys(COLUMN) == 0
    settings.PERSONAL_DATA_OLD_KEYS = []
    assert [p.phone for p in Trainee.objects.order_by("pk")] == [f"+861540000{n:04d}" for n in range(6)]


@pytest.mark.django_db
def test_a_change_of_key_does_not_bind_what_was_not_bound(settings):
    """Else whoever can write to the table gets a copied value sealed for the row it was copied to."""
    trainee = TraineeFactory(phone=PHONE)
    put(trainee.pk, encrypt(PHONE, context=COLUMN.context))
    settings.PERSONAL_DATA_OLD_KEYS, settings.PERSONAL_DATA_KEY = [settings.PERSONAL_DATA_KEY], OTHER_KEY

    with pytest.raises(Undecipherable):
        list(reseal(COLUMN))


# --- Files and staged rows --------------------------------------------------------------------------------------------


@pytest.fixture
def roster(county):
    """A checked roster whose workbook the first method sealed."""
    staged = RosterImport(
        cohort=CohortFactory(), region=county, file_name="a.xlsx", state="checked", uploaded_by=UserFactory()
    )
    staged.file.save("a", ContentFile(by_the_first_method("workbook", context="rosters_rosterimport.file")))
    return staged


@pytest.fixture
def county(db):
    return region("622927")


@pytest.mark.django_db
def test_the_migration_names_the_key_of_uploads_and_staged_rows():
    staged = FiguresImport(region=region("622927"), file_name="a.xlsx", state="checked", uploaded_by=UserFactory())
    staged.file.save("a", ContentFile(by_the_first_method("workbook", context="figures_figuresimport.file")))
    row = staged.rows.create(number=1, status="new", values="x")
    with connection.cursor() as cursor:
        old = by_the_first_method('{"name": "a"}', context="figures_figuresrow.values")
        cursor.execute("UPDATE figures_figuresrow SET values = %s WHERE id = %s", [old, row.pk])

    for _again in range(2):
        import_module("incubator.figures.migrations.0002_name_the_key").name_the_key(None, None)

        found = FiguresImport.objects.get()
        assert found.file.read_unsealed() == b"workbook" and found.rows.get().plain == {"name": "a"}


def test_a_workbook_that_is_gone_stops_nobody_and_a_damaged_one_is_named(roster):
    path = Path(roster.file.path)
    path.write_bytes(b"\x01" + bytes(60))
    with pytest.raises(Undecipherable, match=f"rosters_rosterimport.file, row {roster.pk}"):
        list(reseal_files(SealedFiles("rosters_rosterimport", "file"), reopen=unseal_earlier))
    assert path.read_bytes() == b"\x01" + bytes(60)

    path.unlink()
    assert list(reseal_files(SealedFiles("rosters_rosterimport", "file"), reopen=unseal_earlier)) == []


@pytest.mark.django_db
def test_the_migration_seals_results_that_lay_in_clear():
    job = Job.objects.create(kind="k", key="1", state="done", result_name="a.csv")
    job.result_file.save("a", ContentFile(b"1,2"))
    path = Path(job.result_file.path)
    path.chmod(0o600)

    for _again in range(2):
        import_module("incubator.jobs.migrations.0003_seal_results").seal_results(None, None)

        assert Job.objects.get().result_file.read_unsealed() == b"1,2"
        assert path.read_bytes().startswith(head()) and path.stat().st_mode & 0o777 == 0o600
        assert list(path.parent.iterdir()) == [path], "nothing is left beside it"

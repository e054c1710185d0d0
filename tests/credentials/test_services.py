"""Keys, credentials and status lists: what is written, by whom, and what the database refuses."""

import json
import threading
from datetime import timedelta
from itertools import count

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.certification.services.names import agree_to_show_name, take_back_name
from incubator.common.errors import RuleBroken, Stale
from incubator.credentials.choices import STATUS_LIST_LENGTH, KeyState
from incubator.credentials.models import Credential, SigningKey, StatusList
from incubator.credentials.proofs import Unproven, check
from incubator.credentials.queries import set_places, trusted_keys, without_credential
from incubator.credentials.services import (
    distrust_signing_key,
    issue_credential,
    issue_credentials,
    publish_status_list,
    reissue_credential,
    rotate_signing_key,
)
from incubator.credentials.services.keys import signing_key
from incubator.credentials.status import is_set
from incubator.credentials.tasks import issue_missing
from tests import factories
from tests.credentials.world import many_awards
from tests.world import certified

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.superuser()


# --- What a credential says -------------------------------------------------------------------------------------------


def test_it_says_what_the_award_says_and_nothing_of_the_person():
    award = certified("a")
    document = issue_credential(award).document

    text = json.dumps(document, ensure_ascii=False)
    assert document["id"] == f"https://badges.example.org/verify/{award.code}/"
    assert document["issuer"]["id"] == "did:web:badges.example.org"
    assert document["awardedDate"] == f"{award.awarded_on}T00:00:00+08:00" == document["validFrom"]
    assert document["credentialSubject"]["licenseNumber"] == award.number
    assert "validUntil" not in document and "identifier" not in document["credentialSubject"]
    person = award.trainee
    account = award.candidate.account
    secrets_of_hers = [person.name, award.holder_name, person.number, account.handle, f"{award.candidate.followers}"]
    assert [secret for secret in secrets_of_hers if secret in text] == []
    assert award.badge.name in text


def test_two_awards_of_one_person_share_no_number_that_stands_for_her():
    first, second = many_awards(2)
    factories.rewrite_award(second, trainee=first.trainee, badge=factories.BadgeFactory())

    subjects = {issue_credential(award).document["credentialSubject"]["id"] for award in Award.objects.all()}

    assert len(subjects) == 2


def test_the_language_of_whoever_asks_changes_nothing():
    awards = many_awards(2)
    with translation.override("en"):
        first = issue_credential(awards[0]).document
    with translation.override("zh-hans"):
        second = issue_credential(awards[1]).document

    for part in ("description", "name", "criteria"):
        assert first["credentialSubject"]["achievement"][part] == second["credentialSubject"]["achievement"][part]


def test_the_name_is_said_only_while_its_holder_agrees():
    award = certified("a")
    hers = award.trainee.user
    before = issue_credential(award)

    agree_to_show_name(award, by=hers)
    shown = issue_credential(award)
    take_back_name(award, by=hers)
    after = issue_credential(award)

    assert [award.holder_name in c.text for c in (before, shown, after)] == [False, True, False]
    assert (shown.replaces, after.replaces) == (before, shown)
    assert shown.subject == before.subject


@pytest.mark.parametrize("decide", [agree_to_show_name, take_back_name])
def test_nobody_agrees_for_somebody_else(decide, staff):
    award, other = certified("a"), certified("b")
    Award.objects.filter(pk=award.pk).update(name_shown_since=timezone.now() if decide is take_back_name else None)

    for person in (staff, other.trainee.user, None):
        with pytest.raises(RuleBroken):
            decide(award, by=person)
    award.refresh_from_db()
    assert bool(award.name_shown_since) == (decide is take_back_name)


def test_agreeing_twice_is_told_and_a_withdrawn_award_may_still_be_made_silent(staff):
    award = certified("a")
    agree_to_show_name(award, by=award.trainee.user)
    with pytest.raises(Stale):
        agree_to_show_name(award, by=award.trainee.user)
    withdraw_award(award, by=staff, reason="一个理由")

    take_back_name(award, by=award.trainee.user)

    assert Award.objects.get().name_shown_since is None
    with pytest.raises(Stale):
        agree_to_show_name(award, by=award.trainee.user)


# --- Issuing ----------------------------------------------------------------------------------------------------------


def test_issuing_again_gives_what_there_is():
    award = certified("a")

    assert issue_credential(award) == issue_credential(award)
    assert issue_credentials([award]) == 0
    assert Credential.objects.count() == 1


def test_a_withdrawn_award_gets_none(staff):
    award, other = many_awards(2)
    withdraw_award(award, by=staff, reason="一个理由")

    for issue in (issue_credential, reissue_credential):
        with pytest.raises(RuleBroken):
            issue(award)
    assert issue_credentials([award, other]) == 1


def test_the_task_finds_whoever_has_none_and_may_run_twice(staff):
    awards = many_awards(3)
    issue_credential(awards[0])
    withdraw_award(awards[1], by=staff, reason="一个理由")

    issue_missing()
    issue_missing()

    assert set(Credential.objects.values_list("award", flat=True)) == {awards[0].pk, awards[2].pk}
    assert not without_credential().exists()


def test_progress_is_told_batch_by_batch(monkeypatch):
    monkeypatch.setattr("incubator.credentials.services.issuing.BATCH", 2)
    told = []

    issue_credentials(many_awards(5), on_progress=told.append)

    assert told == [2, 4, 5]


def test_queries_do_not_grow_with_a_batch(monkeypatch):
    """Where no place that is drawn is taken; of 31 people one in 270 times somebody's is, and is drawn again."""
    places = count()
    monkeypatch.setattr("incubator.credentials.services.issuing.secrets.randbelow", lambda _most: next(places))
    awards = many_awards(31)
    issue_credentials(awards[:1])  # the key is made
    counts = []
    for some in (awards[1:2], awards[2:32]):
        with CaptureQueriesContext(connection) as asked:
            issue_credentials(some)
        counts.append(len(asked))

    assert counts[0] == counts[1]


def test_places_are_random_and_nobodys_twice():
    awards = many_awards(60)
    issue_credentials(awards)
    places = list(Credential.objects.order_by("award_id").values_list("status_index", flat=True))

    assert len(set(places)) == 60
    assert places != sorted(places) and max(places) > 60


def test_a_full_list_is_followed_by_another(monkeypatch):
    monkeypatch.setattr("incubator.credentials.services.issuing.STATUS_LIST_FULL", 3)
    issue_credentials(many_awards(8))

    counts = [status_list.credentials.count() for status_list in StatusList.objects.order_by("pk")]
    assert counts == [3, 3, 2]


@pytest.mark.django_db(transaction=True)
def test_issued_at_once_an_award_has_one(staff):
    awards = many_awards(4)
    start, problems = threading.Barrier(8), []

    def work():
        try:
            start.wait()
            issue_credentials(awards)
        except Exception as problem:
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert Credential.objects.count() == 4 and SigningKey.objects.count() == 1


def test_one_that_cannot_be_verified_is_not_written(monkeypatch):
    award = certified("a")
    monkeypatch.setattr("incubator.credentials.proofs.canonical_quickly", lambda document: "something else")

    with pytest.raises(Unproven):
        issue_credential(award)

    assert not Credential.objects.exists()


# --- Status -----------------------------------------------------------------------------------------------------------


def test_a_withdrawal_is_in_the_list_at_once_and_no_other_bit(staff):
    awards = many_awards(5)
    issue_credentials(awards)
    status_list = StatusList.objects.get()
    before = publish_status_list(status_list)

    withdraw_award(awards[3], by=staff, reason="一个理由")

    after = publish_status_list(status_list)
    place = Credential.objects.get(award=awards[3]).status_index
    assert set_places(status_list) == [place] and before.etag != after.etag
    encoded = json.loads(after.text)["credentialSubject"]["encodedList"]
    said = [is_set(encoded, credential.status_index) for credential in Credential.objects.order_by("award_id")]
    assert said == [False, False, False, True, False]
    assert "一个理由" not in after.text


def test_a_list_is_signed_once_for_each_state(staff):
    issue_credential(certified("a"))
    status_list = StatusList.objects.get()
    first = publish_status_list(status_list)
    with CaptureQueriesContext(connection) as asked:
        assert publish_status_list(status_list) == first
    assert len(asked) == 2

    rotate_signing_key(by=staff, reason="每年一次")

    second = publish_status_list(status_list)
    assert second.etag != first.etag
    check(json.loads(second.text), trusted_keys().get)


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_the_secret_half_is_sealed_and_gone_with_the_retirement(staff):
    key = signing_key()
    secret = key.secret
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM credentials_signingkey")
        stored = bytes(cursor.fetchone()[0])
    assert secret.encode() not in stored and bytes.fromhex(secret) not in stored

    fresh = rotate_signing_key(by=staff, reason="每年一次", key=key)

    key.refresh_from_db()
    assert (key.state, key.secret, key.ended_by, key.reason) == (KeyState.RETIRED, None, staff, "每年一次")
    assert fresh.state == KeyState.ACTIVE and fresh.public_key != key.public_key


def test_of_two_rotations_at_once_one_is_told(staff):
    key = signing_key()
    rotate_signing_key(by=staff, reason="每年一次", key=key)

    with pytest.raises(Stale):
        rotate_signing_key(by=staff, reason="每年一次", key=key)
    assert SigningKey.objects.count() == 2


@pytest.mark.parametrize("reason", ["", "  "])
def test_why_a_key_ends_is_said(staff, reason):
    for end in (rotate_signing_key, lambda **said: distrust_signing_key(signing_key(), **said)):
        with pytest.raises(RuleBroken):
            end(by=staff, reason=reason)
    assert SigningKey.objects.get().state == KeyState.ACTIVE


def test_a_distrusted_key_is_followed_by_another_and_its_awards_are_due(staff):
    awards = many_awards(2)
    issue_credentials(awards)
    key = SigningKey.objects.get()

    distrust_signing_key(key, by=staff, reason="备份丢失")

    assert key.state == KeyState.COMPROMISED and key.address not in trusted_keys()
    assert set(without_credential()) == set(awards)
    with pytest.raises(Stale):
        distrust_signing_key(key, by=staff, reason="备份丢失")
    issue_missing()
    assert not without_credential().exists() and Credential.objects.count() == 4


def test_a_retired_key_may_be_distrusted_later(staff):
    key = signing_key()
    active = rotate_signing_key(by=staff, reason="每年一次")

    distrust_signing_key(key, by=staff, reason="备份丢失")

    assert signing_key() == active and key.retired_at is not None


# --- What the database refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"text": "{}"},
        {"status_index": 5},
        {"issued_at": timezone.now() - timedelta(days=9)},
        {"award_id": 1},
    ],
)
def test_what_was_signed_is_never_changed(change):
    issue_credential(certified("a"))
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Credential.objects.update(**change)


def test_nor_deleted_nor_brought_back():
    award = certified("a")
    issue_credential(award)
    reissue_credential(award)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Credential.objects.exclude(replaced_at=None).update(replaced_at=None)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Credential.objects.filter(replaced_at=None)._raw_delete("default")


def test_one_key_signs_and_none_comes_back(staff):
    key = signing_key()
    rotate_signing_key(by=staff, reason="每年一次")
    with pytest.raises(IntegrityError, match="brought back"), transaction.atomic():
        SigningKey.objects.filter(pk=key.pk).update(state=KeyState.ACTIVE)
    with pytest.raises(IntegrityError, match="brought back"), transaction.atomic():
        SigningKey.objects.filter(pk=key.pk)._raw_delete("default")
    with pytest.raises(IntegrityError, match="one_key_signs"), transaction.atomic():
        SigningKey.objects.create(public_key="z6Mkx", secret="00", active_from=timezone.now())
    with pytest.raises(IntegrityError, match="only_the_key_that_signs_has_its_secret"), transaction.atomic():
        SigningKey.objects.filter(state=KeyState.ACTIVE).update(secret=None)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"award": 0, "replaced_at": None, "status_index": 7}, "one_current_credential_per_award"),
        ({"award": 1, "replaced_at": None}, "one_credential_per_place_in_a_status_list"),
        (
            {"award": 1, "replaced_at": None, "status_index": STATUS_LIST_LENGTH},
            "credential_has_a_place_within_its_status_list",
        ),
    ],
)
def test_places_and_credentials_are_one_each(changes, name):
    awards = many_awards(2)
    first = issue_credential(awards[0])
    values = {
        "status_index": first.status_index,
        "key": first.key,
        "status_list": first.status_list,
        "subject": first.subject,
        "text": first.text,
        "issued_at": first.issued_at,
        **changes,
        "award": awards[changes["award"]],
    }
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Credential.objects.create(**values)

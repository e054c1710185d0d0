"""What another system's verifier says of our credentials: npm ``@digitalbazaar/vc`` and its companions."""

import copy
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from incubator.certification.models import Award
from incubator.certification.services import withdraw_award
from incubator.certification.services.names import agree_to_show_name, take_back_name
from incubator.credentials.models import Credential
from incubator.credentials.services import (
    distrust_signing_key,
    issue_credential,
    issue_credentials,
    reissue_credential,
    rotate_signing_key,
)
from tests.credentials.world import expired, many_awards, published
from tests.factories import superuser
from tests.world import certified

pytestmark = pytest.mark.django_db
GOOD = {"verified": True, "status": False, "error": ""}


def test_a_credential_verifies(verifier):
    assert verifier.ask(issue_credential(certified("a")).document, published()) == GOOD


def test_one_that_names_its_holder_verifies(verifier):
    award = certified("a")
    Award.objects.filter(pk=award.pk).update(holder_name='阿卜杜热合曼·"阿卜杜\\拉" 𫖯䶮㛃')
    award.refresh_from_db()
    agree_to_show_name(award, by=award.trainee.user)

    document = issue_credential(award).document

    assert document["credentialSubject"]["identifier"][0]["identityHash"] == award.holder_name
    assert verifier.ask(document, published()) == GOOD


def test_one_that_expires_verifies_until_its_last_second(verifier):
    award = certified("a")
    Award.objects.filter(pk=award.pk).update(expires_on=timezone.localdate() + timedelta(days=9))
    document, last = issue_credential(award).document, timezone.localdate() + timedelta(days=9)

    assert verifier.ask(document, published(), now=f"{last}T23:59:59+08:00") == GOOD
    skew = f"{last + timedelta(days=1)}T00:06:00+08:00"  # verifiers grant clocks five minutes
    assert not verifier.ask(document, published(), now=skew)["verified"]


def test_an_expired_one_does_not(verifier):
    answer = verifier.ask(issue_credential(expired(certified("a"))).document, published())

    assert not answer["verified"] and "is after" in answer["error"]


def test_a_withdrawn_one_is_told_by_the_status_list(verifier):
    awards = many_awards(3)
    issue_credentials(awards)
    documents = {award.pk: issue_credential(award).document for award in awards}
    withdraw_award(awards[1], by=superuser(), reason="一个理由")

    after = published()

    said = {award.pk: verifier.ask(documents[award.pk], after)["status"] for award in awards}
    assert said == {awards[0].pk: False, awards[1].pk: True, awards[2].pk: False}
    assert verifier.ask(documents[awards[0].pk], after) == GOOD


def test_one_that_was_replaced_is_told_too(verifier):
    award = certified("a")
    first = issue_credential(award).document
    second = reissue_credential(award).document
    found = published()

    assert verifier.ask(first, found)["status"] is True
    assert verifier.ask(second, found) == GOOD
    assert second["credentialSubject"]["id"] == first["credentialSubject"]["id"]
    assert second["awardedDate"] == first["awardedDate"] and second["validFrom"] >= first["validFrom"]


def test_taking_the_name_back_leaves_no_good_credential_with_it(verifier):
    award = certified("a")
    agree_to_show_name(award, by=award.trainee.user)
    named = issue_credential(award).document
    take_back_name(award, by=award.trainee.user)
    found = published()

    assert verifier.ask(named, found)["status"] is True
    current = issue_credential(award).document
    assert verifier.ask(current, found) == GOOD
    assert award.holder_name not in json.dumps(current, ensure_ascii=False)


def test_rotating_keys_keeps_old_credentials_valid(verifier):
    awards = many_awards(2)
    old = issue_credential(awards[0]).document
    rotate_signing_key(by=superuser(), reason="每年一次")
    new = issue_credential(awards[1]).document
    found = published()

    assert old["proof"]["verificationMethod"] != new["proof"]["verificationMethod"]
    assert verifier.ask(old, found) == GOOD and verifier.ask(new, found) == GOOD


def test_a_distrusted_key_takes_its_credentials_with_it(verifier):
    awards = many_awards(2)
    first = issue_credential(awards[0])
    rotate_signing_key(by=superuser(), reason="每年一次")
    second = issue_credential(awards[1])

    distrust_signing_key(first.key, by=superuser(), reason="备份丢失")

    found = published()
    answer = verifier.ask(first.document, found)
    assert not answer["verified"] and "not authorized" in answer["error"]
    assert verifier.ask(second.document, found) == GOOD
    assert verifier.ask(issue_credential(awards[0]).document, found | published()) == GOOD


def test_a_key_that_is_nobodys_signs_nothing(verifier):
    document, found = issue_credential(certified("a")).document, published()
    found["did:web:badges.example.org"]["verificationMethod"] = []

    assert not verifier.ask(document, found)["verified"]


# --- Each leaf altered ------------------------------------------------------------------------------------------------


def leaves(value, path=()):
    """``(path, value)`` of every leaf, those of contexts and proof included."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        yield path, value
        return
    for key, part in parts:
        yield from leaves(part, (*path, key))


def altered(document, path, value):
    changed = copy.deepcopy(document)
    where = changed
    for key in path[:-1]:
        where = where[key]
    where[path[-1]] = value
    return changed


def others(value):
    """What a leaf may be turned into: something near it, and where that could be overlooked something far."""
    if isinstance(value, bool):
        return [not value]
    last = value[-1]
    return [value[:-1] + ("1" if last != "1" else "2"), value + "0", "x"]


def shaped(shape):
    award = certified("a")
    if shape != "plain":
        Award.objects.filter(pk=award.pk).update(
            expires_on=timezone.localdate() + timedelta(days=9), name_shown_since=timezone.now()
        )
        award.refresh_from_db()
    return issue_credential(award).document


PATHS = {
    "@context.0", "@context.1", "id", "type.0", "type.1", "name", "issuer.id", "issuer.type.0", "issuer.name",
    "issuer.url", "awardedDate", "validFrom", "credentialSubject.id", "credentialSubject.type.0",
    "credentialSubject.licenseNumber", "credentialSubject.achievement.id", "credentialSubject.achievement.type.0",
    "credentialSubject.achievement.achievementType", "credentialSubject.achievement.humanCode",
    "credentialSubject.achievement.inLanguage", "credentialSubject.achievement.name",
    "credentialSubject.achievement.description", "credentialSubject.achievement.criteria.narrative",
    "credentialStatus.id", "credentialStatus.type", "credentialStatus.statusPurpose",
    "credentialStatus.statusListIndex", "credentialStatus.statusListCredential", "proof.type", "proof.cryptosuite",
    "proof.created", "proof.verificationMethod", "proof.proofPurpose", "proof.proofValue",
}  # fmt: skip
NAMED = {f"credentialSubject.identifier.0.{key}" for key in ("type", "hashed", "identityHash", "identityType")}


@pytest.mark.parametrize(("shape", "paths"), [("plain", PATHS), ("named and expiring", PATHS | NAMED | {"validUntil"})])
def test_each_leaf_altered_makes_it_fail(verifier, shape, paths):
    document, found = shaped(shape), published()
    assert verifier.ask(document, found) == GOOD
    rotated = [method["id"] for method in found["did:web:badges.example.org"]["verificationMethod"]]
    assert len(rotated) == 1

    walked, survived = set(), []
    for path, value in leaves(document):
        walked.add(".".join(map(str, path)))
        for other in others(value):
            if verifier.ask(altered(document, path, other), found)["verified"]:
                survived.append((path, other))

    assert survived == []
    assert walked == paths


def test_a_credential_with_anything_left_out_or_put_in_fails(verifier):
    document, found = shaped("named and expiring"), published()
    survived = []
    for path, _value in leaves(document):
        changed = copy.deepcopy(document)
        where = changed
        for key in path[:-1]:
            where = where[key]
        del where[path[-1]]
        if verifier.ask(changed, found)["verified"]:
            survived.append(path)
    for path in [("extra",), ("credentialSubject", "extra"), ("credentialSubject", "name"), ("proof", "expires")]:
        if verifier.ask(altered(document, path, "x"), found)["verified"]:
            survived.append(path)

    assert survived == []


def test_a_status_list_altered_is_not_believed(verifier):
    award = certified("a")
    document, before = issue_credential(award).document, published()
    withdraw_award(award, by=superuser(), reason="一个理由")
    after = published()
    address = document["credentialStatus"]["statusListCredential"]
    assert verifier.ask(document, after)["status"] is True

    after[address]["credentialSubject"]["encodedList"] = before[address]["credentialSubject"]["encodedList"]

    assert not verifier.ask(document, after)["verified"]


def test_hundreds_verify(verifier):
    """All of a batch, as they were stored."""
    awards = many_awards(300)
    for award in awards[::3]:
        Award.objects.filter(pk=award.pk).update(name_shown_since=timezone.now())
    issue_credentials(Award.objects.all())
    found = published()

    said = [verifier.ask(credential.document, found) for credential in Credential.objects.current()]

    assert said == [GOOD] * 300

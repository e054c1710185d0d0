"""Canonical N-Quads: the quick way equals the long way, and nothing is signed that would be lost on the way."""

import copy
import json
import socket

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from incubator.credentials import multibase, pinned
from incubator.credentials.canonical import Unsignable, canonical, canonical_quickly
from incubator.credentials.proofs import Unproven, check, sign
from incubator.credentials.status import encode_bits, is_set

BOTH = pytest.mark.parametrize("way", [canonical, canonical_quickly])
METHOD = "did:web:badges.example.org#key-1"
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()


def badge(**changes):
    """An Open Badge with everything that ours may have."""
    document = {
        "@context": [pinned.CREDENTIALS_V2, pinned.OPEN_BADGES],
        "id": "https://badges.example.org/verify/ABC/",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "幸福乡村带头人",
        "issuer": {"id": "did:web:badges.example.org", "type": ["Profile"], "name": "计划"},
        "awardedDate": "2026-11-28T00:00:00+08:00",
        "validFrom": "2026-11-28T00:00:00+08:00",
        "validUntil": "2027-11-28T23:59:59+08:00",
        "credentialSubject": {
            "id": "urn:uuid:0e4c6b0e-0000-4000-8000-000000000000",
            "type": ["AchievementSubject"],
            "licenseNumber": "XC-2026-622927-0001",
            "identifier": [
                {"type": "IdentityObject", "hashed": False, "identityHash": "王小明", "identityType": "name"}
            ],
            "achievement": {
                "id": "urn:uuid:0e4c6b0e-0000-5000-8000-000000000000",
                "type": ["Achievement"],
                "criteria": {"narrative": "结业"},
            },
        },
        "credentialStatus": {
            "id": "https://badges.example.org/credentials/status/1/#5",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "5",
            "statusListCredential": "https://badges.example.org/credentials/status/1/",
        },
    }
    return document | changes


def nameless():
    document = badge()
    del document["credentialSubject"]["identifier"], document["validUntil"]
    return document


def with_name(name):
    document = badge()
    document["credentialSubject"]["identifier"][0]["identityHash"] = name
    return document


NAMES = [
    *("王小明", '王"小"明', "王\\小\\明", "_:b0", "_:c14n1 <urn:x> .", "urn:place:3", "a'b", " ", "<b>", "{}|^`"),
    *("阿卜杜热合曼·阿卜杜拉", "𫖯䶮㛃", "王\u2028明"),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_quick_way_equals_the_long_way(name):
    assert canonical_quickly(with_name(name)) == canonical(with_name(name))


def test_it_does_whichever_nameless_node_comes_first():
    """The order of two blank nodes hangs on what they say, so another name may turn it around."""
    orders = set()
    for n in range(40):
        quads = canonical_quickly(with_name(f"学员{n}"))
        assert quads == canonical(with_name(f"学员{n}"))
        orders.add("_:c14n0 <https://purl.imsglobal.org/spec/vc/ob/vocab.html#identityHash>" in quads)

    assert orders == {True, False}


def test_every_shape_that_we_sign_is_the_same_both_ways():
    proof = {
        "@context": [pinned.CREDENTIALS_V2, pinned.OPEN_BADGES],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-11-28T00:00:00+08:00",
        "verificationMethod": METHOD,
        "proofPurpose": "assertionMethod",
    }
    status_list = {
        "@context": [pinned.CREDENTIALS_V2],
        "id": "https://badges.example.org/credentials/status/1/",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "did:web:badges.example.org",
        "validFrom": "2026-11-28T00:00:00+08:00",
        "credentialSubject": {
            "id": "https://badges.example.org/credentials/status/1/#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encode_bits([3]),
        },
    }
    for document in (badge(), nameless(), proof, status_list):
        assert canonical_quickly(document) == canonical(document)


@BOTH
@pytest.mark.parametrize(
    "path", [(), ("issuer",), ("credentialSubject",), ("credentialSubject", "achievement"), ("credentialStatus",)]
)
def test_a_term_that_no_context_defines_is_refused(way, path):
    document = badge()
    where = document
    for key in path:
        where = where[key]
    where["followers"] = "120000"

    with pytest.raises(Unsignable, match="would be signed"):
        way(document)


@BOTH
def test_a_term_is_refused_where_its_context_does_not_reach(way):
    """``licenseNumber`` is a subject's, so an issuer's would be lost; the same text elsewhere hides nothing."""
    document = badge()
    document["issuer"]["licenseNumber"] = "计划"

    with pytest.raises(Unsignable):
        way(document)


@BOTH
@pytest.mark.parametrize("change", [{"type": ["VerifiableCredential", "Foo"]}, {"id": "verify/ABC/"}, {"id": "ABC"}])
def test_what_would_need_a_base_is_refused(way, change):
    with pytest.raises(Unsignable, match="No address"):
        way(badge(**change))


@BOTH
@pytest.mark.parametrize("value", [7, 1.5, None, "a\nb", "a\tb", "a\u0085b", "\ud800"])
def test_what_programs_write_differently_is_refused(way, value):
    with pytest.raises(Unsignable):
        way(badge(name=value))


@BOTH
def test_the_same_twice_is_refused(way):
    with pytest.raises(Unsignable):
        way(badge(type=["VerifiableCredential", "VerifiableCredential"]))


@BOTH
@pytest.mark.parametrize("criteria", [{"narrative": {"@value": "x"}}, {"@type": "Criteria", "narrative": "x"}])
def test_keywords_within_are_refused(way, criteria):
    document = badge()
    document["credentialSubject"]["achievement"]["criteria"] = criteria

    with pytest.raises(Unsignable):
        way(document)


def test_nameless_nodes_that_hang_on_each_other_are_named_alike():
    """We sign none such today; the quick way must not depend on that."""
    names = set()
    for n in range(20):
        document = with_name(f"学员{n}")
        subject = document["credentialSubject"]
        del subject["achievement"]["id"]
        subject["achievement"]["image"] = {"type": "Image", "caption": f"图{n}"}
        quads = canonical_quickly(document)
        assert quads == canonical(document)
        names.add(quads.split(" <https://purl.imsglobal.org/spec/vc/ob/vocab.html#Criteria>")[0][-2:])

    assert len(names) > 1


@BOTH
def test_an_unknown_context_is_refused_without_a_look_at_the_network(way, monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", lambda *a: pytest.fail("it asked the network"))
    with pytest.raises(Unsignable):
        way(badge(**{"@context": [pinned.CREDENTIALS_V2, "https://example.org/other.json"]}))


# --- Proofs -----------------------------------------------------------------------------------------------------------


def test_what_is_signed_is_proven():
    signed = sign(badge(), key=KEY, method=METHOD, at=timezone.now())

    check(signed, {METHOD: PUBLIC}.get)


def test_another_key_an_altered_text_and_a_lost_proof_are_not():
    signed = sign(badge(), key=KEY, method=METHOD, at=timezone.now())
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    altered = signed | {"name": "别的"}
    purpose = copy.deepcopy(signed)
    purpose["proof"]["proofPurpose"] = "authentication"

    for document, keys in [
        (signed, {METHOD: other}),
        (signed, {}),
        (altered, {METHOD: PUBLIC}),
        (purpose, {METHOD: PUBLIC}),
        (badge(), {METHOD: PUBLIC}),
    ]:
        with pytest.raises(Unproven):
            check(document, keys.get)


def test_a_name_nobody_defined_is_not_signed():
    with pytest.raises(Unsignable):
        sign(badge(followers="120000"), key=KEY, method=METHOD, at=timezone.now())


# --- Small parts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", ""),
        (b"\0\0\1", "112"),
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (bytes.fromhex("0000287fb4cd"), "11233QC4"),
    ],
)
def test_base58_as_its_draft_has_it(content, text):
    assert multibase.base58_encode(content) == text
    assert multibase.base58_decode(text) == content


def test_a_public_key_is_written_as_others_read_it():
    text = multibase.public_key_text(PUBLIC)

    assert text.startswith("z6Mk") and multibase.public_key_bytes(text) == PUBLIC
    with pytest.raises(ValueError):
        multibase.public_key_bytes(multibase.encode(b"\xec\x01" + PUBLIC))


def test_bits_are_counted_from_the_highest_of_the_first_byte():
    encoded = encode_bits([0, 9, 131_071])

    assert [n for n in (0, 1, 7, 8, 9, 10, 131_070, 131_071) if is_set(encoded, n)] == [0, 9, 131_071]
    assert encoded.startswith("uH4sI") and encoded == encode_bits([0, 9, 131_071])


def test_contexts_are_the_files_that_were_pinned(monkeypatch):
    for address in pinned.PINNED:
        assert "@context" in pinned.pinned(address)
    name, _digest = pinned.PINNED[pinned.DID_V1]
    monkeypatch.setitem(pinned.PINNED, "https://example.org/did", (name, "0" * 64))
    for address in ("https://example.org/did", "https://example.org/none"):
        with pytest.raises(pinned.NotPinned):
            pinned.pinned(address)


def test_there_is_no_vocabulary_for_what_nobody_defined():
    """With ``@vocab`` in a context every unknown term would be signed as something."""
    for address in pinned.PINNED:
        assert "@vocab" not in json.dumps(list(keys_of(pinned.pinned(address))))


def keys_of(value):
    if isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from keys_of(part)

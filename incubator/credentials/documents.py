"""What is signed: an award as an Open Badge, a status list, and the issuer's DID document.

A credential names its holder only where they agreed to it (``award.public_name``). Otherwise it has nothing of a
person: no hash either, since names and phones are few enough to be tried one by one, and a salt would have to travel
with the file.
"""

import uuid
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.credentials.addresses import issuer_did, verification_url
from incubator.credentials.canonical import Document
from incubator.credentials.choices import TRUSTED
from incubator.credentials.models import SigningKey, StatusList
from incubator.credentials.pinned import CREDENTIALS_V2, DID_V1, MULTIKEY_V1, OPEN_BADGES
from incubator.credentials.proofs import moment

PURPOSE = "revocation"
END_OF_DAY = time(23, 59, 59)


def credential_document(
    award: Award, *, subject: uuid.UUID, status_list: StatusList, index: int, valid_from: datetime
) -> Document:
    """The Open Badge of an award, unsigned. Texts are Chinese, whoever's language is spoken at the moment."""
    with translation.override(settings.LANGUAGE_CODE):
        return {
            "@context": [CREDENTIALS_V2, OPEN_BADGES],
            "id": verification_url(award),
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "name": award.badge.name,
            "issuer": _issuer(),
            "awardedDate": moment(_on(award.awarded_on, time.min)),
            "validFrom": moment(valid_from),
            **_until(award.expires_on),
            "credentialSubject": {
                "id": f"urn:uuid:{subject}",
                "type": ["AchievementSubject"],
                "licenseNumber": award.number,
                **_holder(award.public_name),
                "achievement": _achievement(award),
            },
            "credentialStatus": {
                "id": f"{status_list.address}#{index}",
                "type": "BitstringStatusListEntry",
                "statusPurpose": PURPOSE,
                "statusListIndex": str(index),
                "statusListCredential": status_list.address,
            },
        }


def _issuer() -> Document:
    return {
        "id": issuer_did(),
        "type": ["Profile"],
        "name": _("Happy Village Leaders"),
        "url": settings.CREDENTIAL_BASE_URL,
    }


def first_valid_from(award: Award) -> datetime:
    """An award holds from the beginning of its day, in the time of China."""
    return _on(award.awarded_on, time.min)


def _on(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=timezone.get_default_timezone())


def _until(day: date | None) -> Document:
    """The last day is valid to its end."""
    return {"validUntil": moment(_on(day, END_OF_DAY))} if day else {}


def _holder(name: str) -> Document:
    if not name:
        return {}
    return {
        "identifier": [
            {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"},
        ]
    }


def _achievement(award: Award) -> Document:
    badge = award.badge
    return {
        "id": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{settings.CREDENTIAL_BASE_URL}/badges/{badge.code}')}",
        "type": ["Achievement"],
        "achievementType": "Certification",
        "humanCode": badge.code,
        "inLanguage": settings.LANGUAGE_CODE,
        "name": badge.name,
        "description": _("A certification of the programme for rural creators: graduated, and followed by many."),
        "criteria": {"narrative": criteria_of(award)},
    }


def criteria_of(award: Award) -> str:
    """What the badge takes, for anybody. The only place of this room that looks into an award's evidence."""
    rule = award.evidence.get("rule") or {}
    if not isinstance(rule, dict) or "version" not in rule:
        return _("Graduated from the training, and met the certification rule of the programme.")
    return _("Graduated from the training, and met version %(version)s of the certification rule.") % {
        "version": rule["version"]
    }


# --- Status lists -----------------------------------------------------------------------------------------------------


def status_list_document(status_list: StatusList, encoded: str, *, at: datetime) -> Document:
    """A status list as a credential, unsigned. ``encoded``: see ``status.encode_bits``."""
    return {
        "@context": [CREDENTIALS_V2],
        "id": status_list.address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer_did(),
        "validFrom": moment(at),
        "credentialSubject": {
            "id": f"{status_list.address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "encodedList": encoded,
        },
    }


# --- The issuer -------------------------------------------------------------------------------------------------------


def did_document(keys: Iterable[SigningKey]) -> dict[str, Any]:
    """Who we are and with what keys we sign. Distrusted keys are named and may assert nothing."""
    keys = list(keys)
    return {
        "@context": [DID_V1, MULTIKEY_V1],
        "id": issuer_did(),
        "verificationMethod": [
            {
                "id": key.address,
                "type": "Multikey",
                "controller": issuer_did(),
                "publicKeyMultibase": key.public_key,
            }
            for key in keys
        ],
        "assertionMethod": [key.address for key in keys if key.state in TRUSTED],
    }

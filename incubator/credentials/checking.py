"""Whether what we issued is what others would believe; nothing here trusts what issuing did."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from incubator.certification.models import Award
from incubator.credentials.documents import credential_document, first_valid_from
from incubator.credentials.models import Credential
from incubator.credentials.proofs import Unproven, check
from incubator.credentials.queries import set_places, trusted_keys
from incubator.credentials.status import encode_bits, is_set

BATCH = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the credential of an award."""

    number: str
    sentence: str


def verify_all(*, number: str | None = None) -> Iterator[tuple[int, list[Finding]]]:
    """``(awards looked at so far, findings of the last)`` award by award, in order of age; only those in force."""
    awards = Award.objects.live().select_related("badge").order_by("pk")
    if number:
        awards = awards.filter(number=number)
    looked_at, after, keys = 0, 0, trusted_keys()
    lists: dict[int, str] = {}
    while batch := list(awards.filter(pk__gt=after)[:BATCH]):
        current = Credential.objects.current().filter(award__in=batch).select_related("status_list", "key")
        by_award = {credential.award_id: credential for credential in current}
        for credential in by_award.values():
            if credential.status_list_id not in lists:
                lists[credential.status_list_id] = encode_bits(set_places(credential.status_list))
        for award in batch:
            looked_at += 1
            yield looked_at, _findings(award, by_award.get(award.pk), keys, lists)
        after = batch[-1].pk


def _findings(
    award: Award, credential: Credential | None, keys: dict[str, bytes], lists: dict[int, str]
) -> list[Finding]:
    if credential is None:
        return [Finding(award.number, _("It has no credential."))]
    found: list[str] = []
    document = credential.document
    try:
        check(document, keys.get)
    except Unproven as problem:
        found.append(_("Its proof does not hold: %(problem)s.") % {"problem": problem})
    if not _says_what_the_award_says(award, credential, document):
        found.append(_("It does not say what the award says. Issue it anew."))
    if is_set(lists[credential.status_list_id], credential.status_index):
        found.append(_("The status list says that it is good no more."))
    return [Finding(award.number, sentence) for sentence in found]


def _says_what_the_award_says(award: Award, credential: Credential, document: dict[str, Any]) -> bool:
    """Made anew from today's rows it would state the same. Wording may differ: badges are renamed."""
    expected = credential_document(
        award,
        subject=credential.subject,
        status_list=credential.status_list,
        index=credential.status_index,
        valid_from=first_valid_from(award),
    )
    return _stated(expected) == _stated(document)


def _stated(document: dict[str, Any]) -> list[Any]:
    """Who certifies what of whom, from when until when, and where its worth is asked for."""
    subject, issuer = document["credentialSubject"], document["issuer"]
    return [
        document["id"],
        issuer["id"],
        document["awardedDate"],
        document.get("validUntil"),
        subject["id"],
        subject["licenseNumber"],
        subject.get("identifier"),
        subject["achievement"]["id"],
        document["credentialStatus"],
    ]

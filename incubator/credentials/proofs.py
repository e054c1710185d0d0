"""Data Integrity proofs of cryptosuite ``eddsa-rdfc-2022`` (W3C): what is signed, signing, and checking.

Signed are the SHA-256 of the canonical proof without its value, and then the SHA-256 of the canonical document without
its proof: 64 bytes.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.translation import gettext as _

from incubator.credentials import multibase
from incubator.credentials.canonical import Document, Unsignable, canonical, canonical_quickly

SUITE = "eddsa-rdfc-2022"
Canonicalise = Callable[[Document], str]


class Unproven(Exception):
    """A document whose proof does not hold; ``str()`` of it says in a few words what is wrong."""


def sign(document: Document, *, key: Ed25519PrivateKey, method: str, at: datetime) -> Document:
    """The document with its proof. ``method`` is the address of the public key. Raises ``Unsignable``."""
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": moment(at),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
    }
    signature = key.sign(_signed(document, proof, canonical_quickly))
    return {**document, "proof": {**proof, "proofValue": multibase.encode(signature)}}


def moment(at: datetime) -> str:
    """``2026-11-28T00:00:00+08:00``: to the second, with the zone it was given in."""
    return at.isoformat(timespec="seconds")


def check(document: Document, public_key: Callable[[str], bytes | None]) -> None:
    """Raises ``Unproven`` unless the proof holds. ``public_key``: method → the 32 bytes, None where it is not trusted.

    The long way of canonicalising is taken: the check owes nothing to the quick way by which the document was signed.
    """
    proof = document.get("proof")
    if not isinstance(proof, dict) or proof.get("type") != "DataIntegrityProof" or proof.get("cryptosuite") != SUITE:
        raise Unproven(_("no proof of a known kind"))
    if proof.get("proofPurpose") != "assertionMethod":
        raise Unproven(_("a proof for another purpose"))
    key = public_key(str(proof.get("verificationMethod")))
    if key is None:
        raise Unproven(_("a key that is not trusted"))
    unsigned = {name: part for name, part in document.items() if name != "proof"}
    options = {name: part for name, part in proof.items() if name != "proofValue"}
    try:
        signature = multibase.decode(str(proof.get("proofValue")))
        Ed25519PublicKey.from_public_bytes(key).verify(signature, _signed(unsigned, options, canonical))
    except (InvalidSignature, ValueError, Unsignable):
        raise Unproven(_("a signature that does not fit")) from None


def _signed(document: Document, options: dict[str, Any], canonicalise: Canonicalise) -> bytes:
    proof = {"@context": document["@context"], **options}
    return b"".join(hashlib.sha256(canonicalise(part).encode()).digest() for part in (proof, document))

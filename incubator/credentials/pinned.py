"""The JSON-LD contexts that credentials are made of: files beside this one, never the network."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
OPEN_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
DATA_INTEGRITY_V2 = "https://w3id.org/security/data-integrity/v2"
DID_V1 = "https://www.w3.org/ns/did/v1"
MULTIKEY_V1 = "https://w3id.org/security/multikey/v1"

FOLDER = Path(__file__).parent / "contexts"
# Address → (file, SHA-256 of its bytes).
PINNED = {
    CREDENTIALS_V2: ("credentials-v2.json", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734"),
    OPEN_BADGES: ("open-badges-3.0.3.json", "ef2fa9c7846dce233cc166b43639027278be4ee44f00bb1d45c75de2dd0cd761"),
    DATA_INTEGRITY_V2: ("data-integrity-v2.json", "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4"),
    DID_V1: ("did-v1.json", "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f"),
    MULTIKEY_V1: ("multikey-v1.json", "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6"),
}


class NotPinned(Exception):
    """A context that is not among ours, or whose file is not what it was."""


@cache
def pinned(address: str) -> dict[str, Any]:
    """The context at that address. Raises ``NotPinned`` for any other, and for altered bytes."""
    if address not in PINNED:
        raise NotPinned(f"{address} is not a pinned context.")
    name, digest = PINNED[address]
    content = (FOLDER / name).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise NotPinned(f"{name} is not the file that was pinned.")
    return json.loads(content)


def load_document(address: str, options: Any = None) -> dict[str, Any]:
    """A document loader for PyLD."""
    return {
        "contentType": "application/ld+json",
        "contextUrl": None,
        "documentUrl": address,
        "document": pinned(address),
    }

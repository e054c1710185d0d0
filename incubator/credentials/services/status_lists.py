"""Status lists as they are published."""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from incubator.credentials.documents import status_list_document
from incubator.credentials.models import SigningKey, StatusList, signed_text
from incubator.credentials.proofs import sign
from incubator.credentials.queries import now, set_places
from incubator.credentials.services.keys import signing_key
from incubator.credentials.status import encode_bits

KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Published:
    """A signed list, and what changes when it does."""

    text: str
    etag: str


def etag_of(status_list: StatusList) -> str:
    """Changes with any bit, with the key that signs, and with our address. One or two queries, nothing signed."""
    return _etag(status_list, signing_key(), set_places(status_list))


def publish_status_list(status_list: StatusList) -> Published:
    """The list as it is now. Signed once for each state it is in, then taken from the cache."""
    key, places = signing_key(), set_places(status_list)
    etag = _etag(status_list, key, places)
    kept = f"status-list:{etag}"
    text = cache.get(kept)
    if text is None:
        document = status_list_document(status_list, encode_bits(places), at=now())
        text = signed_text(sign(document, key=key.private_key, method=key.address, at=now()))
        cache.set(kept, text, KEPT_SECONDS)
    return Published(text, etag)


def _etag(status_list: StatusList, key: SigningKey, places: list[int]) -> str:
    said = f"{settings.CREDENTIAL_BASE_URL} {status_list.pk} {key.public_key} {places}"
    return hashlib.sha256(said.encode()).hexdigest()[:40]

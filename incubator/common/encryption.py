"""Personal data at rest: AES-256-GCM to keep it, HMAC-SHA-256 under a second key to find it.

Keys come from the environment, 64 hexadecimal digits each: ``PERSONAL_DATA_KEY`` seals and opens, those of
``PERSONAL_DATA_OLD_KEYS`` (separated by commas) only open, ``PERSONAL_INDEX_KEY`` finds. What is stored names its key,
is bound to its table and column and, where a row is given, to that row, so that it cannot be copied to another person.
A wrong key raises ``Undecipherable``: it never returns ciphertext that could be saved back.
"""

import hashlib
import hmac
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

VERSION = b"\x02"  # names the method
KEY_ID_BYTES = 4  # names the key: the beginning of its SHA-256
NONCE_BYTES = 12
HEAD = len(VERSION) + KEY_ID_BYTES


class Undecipherable(Exception):
    """The stored bytes were not made with a known key for this place (or were altered)."""


@lru_cache
def _key(name: str, value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be 64 hexadecimal digits.")
    return key


@lru_cache
def _box(name: str, value: str) -> tuple[bytes, AESGCM]:
    """A key's id and what seals and opens with it."""
    key = _key(name, value)
    return hashlib.sha256(key).digest()[:KEY_ID_BYTES], AESGCM(key)


def _present() -> tuple[bytes, AESGCM]:
    return _box("PERSONAL_DATA_KEY", settings.PERSONAL_DATA_KEY)


def _known(key_id: bytes) -> AESGCM:
    present, box = _present()
    if key_id == present:
        return box
    for value in settings.PERSONAL_DATA_OLD_KEYS:
        old, box = _box("PERSONAL_DATA_OLD_KEYS", value)
        if key_id == old:
            return box
    raise Undecipherable("unknown key")


def _place(context: str, row: object) -> bytes:
    return context.encode() if row is None else f"{context}:{row}".encode()


def seal(plain: bytes, *, context: str, row: object = None) -> bytes:
    """``plain`` as bytes to store. ``context`` (table and column) and ``row`` (its primary key) are bound in."""
    nonce = os.urandom(NONCE_BYTES)
    key_id, box = _present()
    return VERSION + key_id + nonce + box.encrypt(nonce, plain, _place(context, row))


def unseal(stored: bytes, *, context: str, row: object = None) -> bytes:
    """The bytes again; raises ``Undecipherable`` on a wrong key, context or row, or altered bytes."""
    stored = bytes(stored)
    if stored[:1] != VERSION:
        raise Undecipherable("unknown method")
    box = _known(stored[1:HEAD])
    nonce, sealed = stored[HEAD : HEAD + NONCE_BYTES], stored[HEAD + NONCE_BYTES :]
    try:
        return box.decrypt(nonce, sealed, _place(context, row))
    except InvalidTag:
        raise Undecipherable("wrong key, wrong place or altered data") from None


def is_of_present_key(stored: bytes) -> bool:
    """Whether the bytes were sealed by the present method under the present key."""
    return bytes(stored[:HEAD]) == VERSION + _present()[0]


def encrypt(text: str, *, context: str, row: object = None) -> bytes:
    """``seal`` for a text."""
    return seal(text.encode(), context=context, row=row)


def decrypt(stored: bytes, *, context: str, row: object = None) -> str:
    """``unseal`` for a text."""
    return unseal(stored, context=context, row=row).decode()


def blind_index(text: str, *, context: str) -> bytes:
    """32 bytes that are equal for equal texts and say nothing about them without the index key."""
    key = _key("PERSONAL_INDEX_KEY", settings.PERSONAL_INDEX_KEY)
    return hmac.digest(key, f"{context}\0{text}".encode(), "sha256")


if TYPE_CHECKING:
    _Stored = models.TextField  # what Python sees is text
else:
    _Stored = models.BinaryField


class EncryptedTextField(_Stored):
    """A text that is ciphertext in the table and plain text in Python. ``None`` stays NULL; it cannot be searched."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def from_db_value(self, value, expression, connection):
        return None if value is None else decrypt(value, context=self.context)

    def get_db_prep_value(self, value, connection, prepared=False):
        if isinstance(value, str):
            value = encrypt(value, context=self.context)
        return super().get_db_prep_value(value, connection, prepared)

    def value_to_string(self, obj):
        raise TypeError("An encrypted field is not serialised.")

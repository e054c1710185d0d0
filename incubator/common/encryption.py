"""Personal data at rest: AES-256-GCM to keep it, HMAC-SHA-256 under a second key to find it.

Keys come from ``PERSONAL_DATA_KEY`` and ``PERSONAL_INDEX_KEY`` (64 hexadecimal digits each). A wrong key raises
``Undecipherable``: it never returns ciphertext that could be saved back.
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

VERSION = b"\x01"  # names the key and the method, so that a later key can live beside this one
NONCE_BYTES = 12


class Undecipherable(Exception):
    """The stored bytes were not made with the present key (or were altered)."""


@lru_cache
def _key(name: str, value: str) -> bytes:
    try:
        key = bytes.fromhex(value)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be 64 hexadecimal digits.")
    return key


def seal(plain: bytes, *, context: str) -> bytes:
    """``plain`` as bytes to store; ``context`` (table and column) is bound in, so a value cannot be moved elsewhere."""
    nonce = os.urandom(NONCE_BYTES)
    box = AESGCM(_key("PERSONAL_DATA_KEY", settings.PERSONAL_DATA_KEY))
    return VERSION + nonce + box.encrypt(nonce, plain, context.encode())


def unseal(stored: bytes, *, context: str) -> bytes:
    """The bytes again; raises ``Undecipherable`` on a wrong key, context or altered bytes."""
    stored = bytes(stored)
    if stored[:1] != VERSION:
        raise Undecipherable("unknown key version")
    box = AESGCM(_key("PERSONAL_DATA_KEY", settings.PERSONAL_DATA_KEY))
    nonce, sealed = stored[1 : 1 + NONCE_BYTES], stored[1 + NONCE_BYTES :]
    try:
        return box.decrypt(nonce, sealed, context.encode())
    except InvalidTag:
        raise Undecipherable("wrong key or altered data") from None


def encrypt(text: str, *, context: str) -> bytes:
    """``seal`` for a text."""
    return seal(text.encode(), context=context)


def decrypt(stored: bytes, *, context: str) -> str:
    """``unseal`` for a text."""
    return unseal(stored, context=context).decode()


def blind_index(text: str, *, context: str) -> bytes:
    """32 bytes that are equal for equal texts and say nothing about them without the index key."""
    key = _key("PERSONAL_INDEX_KEY", settings.PERSONAL_INDEX_KEY)
    return hmac.new(key, f"{context}\0{text}".encode(), hashlib.sha256).digest()


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

"""Personal data at rest: AES-256-GCM to keep it, HMAC-SHA-256 under a second key to find it.

Keys come from the environment, 64 hexadecimal digits each: ``PERSONAL_DATA_KEY`` seals and opens, those of
``PERSONAL_DATA_OLD_KEYS`` (separated by commas) only open, ``PERSONAL_INDEX_KEY`` finds. What is stored names its key,
is bound to its table and column and, where a row is given, to that row, so that it cannot be copied to another person.
A wrong key raises ``Undecipherable``: it never returns ciphertext that could be saved back.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, SupportsIndex

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from django.conf import settings
from django.core import checks
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import connection, models
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute

VERSION = b"\x02"  # names the method
KEY_ID_BYTES = 4  # names the key: the beginning of its SHA-256
NONCE_BYTES = 12
NONCES_TOGETHER = 256  # asked of the system at once, where many are needed
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


def head() -> bytes:
    """How everything begins that is sealed by the present method under the present key."""
    return VERSION + _present()[0]


def known_heads() -> set[bytes]:
    """The same for every key that opens."""
    old = {VERSION + _box("PERSONAL_DATA_OLD_KEYS", value)[0] for value in settings.PERSONAL_DATA_OLD_KEYS}
    return {head(), *old}


def is_of_present_key(stored: bytes) -> bool:
    """Whether the bytes were sealed by the present method under the present key."""
    return bytes(stored[:HEAD]) == head()


def encrypt(text: str, *, context: str, row: object = None) -> bytes:
    """``seal`` for a text."""
    return seal(text.encode(), context=context, row=row)


def sealer(context: str) -> Callable[[str, object], bytes]:
    """``encrypt`` for many rows of one place: a function of the text and its row."""
    key_id, box = _present()
    beginning, nonces, encrypt = VERSION + key_id, _nonces(), box.encrypt

    def seal_for(text: str, row: object) -> bytes:
        nonce = next(nonces)
        return beginning + nonce + encrypt(nonce, text.encode(), f"{context}:{row}".encode())

    return seal_for


def _nonces() -> Iterator[bytes]:
    """Random ones, each given once. A process that is split off while these are in use must make its own."""
    while True:
        for (nonce,) in struct.iter_unpack(f"{NONCE_BYTES}s", os.urandom(NONCE_BYTES * NONCES_TOGETHER)):
            yield nonce


def indexer(context: str) -> Callable[[str], bytes]:
    """``blind_index`` for many texts of one context."""
    begun = HMAC(_key("PERSONAL_INDEX_KEY", settings.PERSONAL_INDEX_KEY), SHA256())
    begun.update(f"{context}\0".encode())

    def index(text: str) -> bytes:
        one = begun.copy()
        one.update(text.encode())
        return one.finalize()

    return index


def decrypt(stored: bytes, *, context: str, row: object = None) -> str:
    """``unseal`` for a text."""
    return unseal(stored, context=context, row=row).decode()


def blind_index(text: str, *, context: str) -> bytes:
    """32 bytes that are equal for equal texts and say nothing about them without the index key."""
    key = _key("PERSONAL_INDEX_KEY", settings.PERSONAL_INDEX_KEY)
    return hmac.digest(key, f"{context}\0{text}".encode(), "sha256")


def index_fingerprint() -> str:
    """What tells whether two index keys are the same, and nothing else of them."""
    return blind_index("", context="fingerprint of the index key").hex()


if TYPE_CHECKING:
    _Stored = models.TextField  # what Python sees is text
else:
    _Stored = models.BinaryField


class Sealed:
    """Stored bytes of a row-bound field that were not opened: what ``values()`` gives, since it gives no row.

    It refuses to be shown, compared as text or serialised. ``row`` is set when the bytes were sealed to be written to
    that row; others are refused by the database layer, so that no row's bytes reach another.
    """

    __slots__ = ("row", "stored")

    def __init__(self, stored: bytes, *, row: object = None) -> None:
        self.stored = bytes(stored)
        self.row = row

    def __repr__(self) -> str:
        return "<sealed>"

    def __str__(self) -> str:
        raise TypeError("A sealed value is not shown. Read the attribute of an object that was loaded.")

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        raise TypeError("A sealed value is not serialised.")

    def __copy__(self) -> "Sealed":
        return self

    def __deepcopy__(self, memo: Any) -> "Sealed":
        return self


class _OpenedOnAccess(DeferredAttribute):
    """The attribute of an encrypted field: opened when it is asked for, by the row that asks."""

    field: "EncryptedTextField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            return decrypt(value.stored, context=self.field.context, row=instance.pk)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class _IsNone(Exact):
    def get_prep_lookup(self) -> Any:
        if self.rhs is not None:
            raise FieldError("An encrypted field is not searched. Use its blind index.")
        return None


class EncryptedTextField(_Stored):
    """A text that is ciphertext in the table and plain text in Python. ``None`` stays NULL; it cannot be searched.

    ``bound=True`` binds it to the row's primary key, which must be known before the row is written: give the model a
    ``ReservedKey``, and its queryset ``BoundRows``. Such a value is opened when the attribute is read, and raises
    ``Undecipherable`` under a wrong key or in another row. ``values()`` gives a ``Sealed``; ``update()`` takes what
    ``sealed_for`` gives and refuses plain text.
    """

    descriptor_class = _OpenedOnAccess
    non_db_attrs = (*models.Field.non_db_attrs, "bound")  # type: ignore[attr-defined]

    def __init__(self, *args: Any, bound: bool = False, **kwargs: Any) -> None:
        self.bound = bound
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, ({**kwargs, "bound": True} if self.bound else kwargs)

    def check(self, **kwargs: Any) -> list[Any]:
        found = super().check(**kwargs)
        if self.bound and not isinstance(self.model._default_manager.all(), BoundRows):
            found.append(
                checks.Error(
                    "A row-bound field needs a manager whose queryset has BoundRows.", obj=self, id="common.E001"
                )
            )
        return found

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def sealed(self, text: str | None, *, row: object) -> Sealed | None:
        """``text`` sealed for that row, to be written there; None stays None."""
        if text is None:
            return None
        if row is None:
            raise TypeError(f"{self.model.__name__}.{self.name} is bound to its row, whose primary key is not known.")
        return Sealed(encrypt(text, context=self.context, row=row), row=row)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        return Sealed(value) if self.bound else decrypt(value, context=self.context)

    def pre_save(self, model_instance: Any, add: bool) -> Any:
        text = super().pre_save(model_instance, add)
        return self.sealed(text, row=model_instance.pk) if self.bound else text

    def to_python(self, value: Any) -> Any:
        return value

    def get_lookup(self, lookup_name: str) -> Any:
        """Only whether there is one: what is sealed differs each time, so comparing would silently find nothing."""
        if lookup_name == "exact":
            return _IsNone
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return super().get_db_prep_value(self._stored(value), connection, prepared)

    def _stored(self, value: Any) -> bytes | None:
        name = f"{self.model.__name__}.{self.name}"
        if isinstance(value, Sealed):
            if value.row is None:
                raise TypeError(f"{name}: what was read sealed is not written again.")
            return value.stored
        if isinstance(value, str):
            if self.bound:
                raise TypeError(f"{name} is bound to its row: save its object, or write what sealed_for() gives.")
            return encrypt(value, context=self.context)
        if value is not None:
            raise TypeError(f"{name} takes text.")
        return None

    def value_to_string(self, obj: Any) -> str:
        raise TypeError("An encrypted field is not serialised.")


def sealed_for(model: type[models.Model], row: object, **texts: str | None) -> dict[str, Sealed | None]:
    """Texts of row-bound fields, sealed for that row: for ``model.objects.filter(pk=row).update(**…)`` and no other."""
    return {name: _bound_field(model, name).sealed(text, row=row) for name, text in texts.items()}


def _bound_field(model: type[models.Model], name: str) -> EncryptedTextField:
    field = model._meta.get_field(name)
    if not isinstance(field, EncryptedTextField) or not field.bound:
        raise TypeError(f"{model.__name__}.{name} is no row-bound field.")
    return field


def _bound_fields(model: type[models.Model], names: Iterable[str]) -> list[EncryptedTextField]:
    fields = [model._meta.get_field(name) for name in names]
    return [field for field in fields if isinstance(field, EncryptedTextField) and field.bound]


class BoundRows:
    """For a queryset: lets rows with row-bound fields be written many at a time."""

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; a row that is there already cannot get what was sealed for a new one."""
        model: type[models.Model] = self.model  # type: ignore[attr-defined]
        is_by_key = set(kwargs.get("unique_fields") or ()) <= {"pk", model._meta.pk.name}
        if not is_by_key and _bound_fields(model, kwargs.get("update_fields") or ()):
            raise TypeError("On a conflict of another key than the primary one, a row-bound field is not updated.")
        return super().bulk_create(*args, **kwargs)  # type: ignore[misc]

    def bulk_update(self, objs: Any, fields: Any, batch_size: int | None = None) -> int:
        """As ever; each row-bound value is sealed for its own row."""
        objs, fields = tuple(objs), tuple(fields)
        with ExitStack() as kept:
            for field in _bound_fields(self.model, fields):  # type: ignore[attr-defined]
                for obj in objs:
                    kept.enter_context(_sealed_within(obj, field))
            return super().bulk_update(objs, fields, batch_size)  # type: ignore[misc]


@contextmanager
def _sealed_within(obj: models.Model, field: EncryptedTextField) -> Iterator[None]:
    """While it lasts, the attribute is what is to be written."""
    text = getattr(obj, field.attname)
    sealed = field.sealed(text, row=obj.pk)
    setattr(obj, field.attname, models.Value(sealed, output_field=field))
    try:
        yield
    finally:
        setattr(obj, field.attname, text)


def reserve_keys(model: type[models.Model], count: int) -> list[int]:
    """Primary keys for ``count`` rows still to be written, from the table's sequence, so that values can be bound."""
    if not count:
        return []
    meta = model._meta
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, %s)::regclass)) FROM generate_series(1, %s)",
            [connection.ops.quote_name(meta.db_table), meta.pk.column, count],
        )
        return [key for (key,) in cursor.fetchall()]


class ReservedKey(models.BigAutoField):
    """A ``BigAutoField`` whose value is known before the row is written. Many at once: see ``reserve_keys``."""

    def deconstruct(self) -> Any:
        """Nothing is different in the table."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BigAutoField", args, kwargs

    def get_pk_value_on_save(self, instance: models.Model) -> Any:
        return reserve_keys(type(instance), 1)[0]

"""Files that lie sealed: what counties upload, and what background work made of it."""

import uuid
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.db import models
from django.db.models.fields.files import FieldFile

from incubator.common.encryption import seal, unseal


class SealedFieldFile(FieldFile):
    """A file of a ``SealedFileField``. It is opened whole, in memory: files here are of some megabytes."""

    field: "SealedFileField"

    def save_sealed(self, content: bytes) -> None:
        """Seal ``content`` and keep it under a name that says nothing. The row itself is not saved."""
        row = self.field.row_of(self.instance)
        self.save(uuid.uuid4().hex, ContentFile(seal(content, context=self.field.context, row=row)), save=False)

    def read_unsealed(self) -> bytes:
        """What was sealed; raises ``Undecipherable`` under a wrong key or for another row's file."""
        with self.open("rb") as file:
            return unseal(file.read(), context=self.field.context, row=self.field.row_of(self.instance))


class SealedFileField(models.FileField):
    """A ``FileField`` whose files are sealed for its table and column and, when ``bound``, for their row.

    All such files are sealed anew by ``rotate_keys``. Nothing is different in the table.
    """

    attr_class = SealedFieldFile

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: Any) -> Any: ...

    def __init__(self, *args: Any, bound: bool = False, **kwargs: Any) -> None:
        self.bound = bound
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.FileField", args, kwargs

    @property
    def context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def row_of(self, instance: models.Model) -> Any:
        """What is bound in: the primary key, or None."""
        if not self.bound:
            return None
        if instance.pk is None:
            raise TypeError(f"{self.model.__name__}.{self.name} is bound to its row, whose primary key is not known.")
        return instance.pk

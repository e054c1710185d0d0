"""Which columns a list's file has, and what stands in them: those of the list, with values in place of decorations.

A resource of django-import-export is made for one list and one person: the columns that this person's list has. Numbers
and days stay numbers and days, states are words, links lose their tags, a dash for "unknown" is an empty cell.
"""

import html
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db.models import Field as ModelField
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.safestring import SafeData
from django.utils.text import capfirst
from django.utils.translation import gettext
from import_export.fields import Field
from import_export.resources import Resource

from incubator.common.encryption import EncryptedTextField
from incubator.common.exports.formats import plain_number

UNKNOWN = "-"
ROWS_AT_ONCE = 1_000
Getter = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Exported:
    """A column of a list's files, in place of the list's column of that name, or ``after`` another, or behind them all.

    ``value`` is a path of attributes (``"latest.followers"``, empty where one is missing) or a function of the row; of
    a field with choices the words are written. A personal value has ``masked``: what stands there unless somebody who
    may asks for it in clear.
    """

    name: str
    label: Any
    value: str | Getter
    masked: Getter | None = None
    after: str = ""

    def getter(self, model: type[Model], *, in_clear: bool) -> Getter:
        if self.masked is not None and not in_clear:
            return self.masked
        if not isinstance(self.value, str):
            return self.value
        field = next((field for field in model._meta.concrete_fields if field.name == self.value), None)
        return _choice(field) if field is not None and field.choices else _along(self.value)


def _along(path: str) -> Getter:
    get = attrgetter(path)

    def read(row: Any) -> Any:
        try:
            return get(row)
        except AttributeError:  # a relation without a row: unknown
            return None

    return read


class ListResource(Resource):
    """The columns of one list for one person. ``recorded`` says which they are, and which are masked."""

    model: type[Model]
    recorded: Sequence[str] = ()

    @classmethod
    def get_display_name(cls) -> str:
        return str(cls.model._meta.verbose_name_plural)

    def iter_queryset(self, queryset: QuerySet) -> Iterator[Model]:
        """Row by row from one cursor, relations fetched for a thousand at a time: memory stays flat."""
        return queryset.iterator(chunk_size=ROWS_AT_ONCE)

    def rows(self, queryset: QuerySet) -> Iterator[list[Any]]:
        """What is written, row by row."""
        getters = [field.dehydrate_method for field in self.get_export_fields()]
        for row in self.iter_queryset(queryset):
            yield [get(row) for get in getters]


def resource_for(desk: Any, request: Any, *, in_clear: bool = False) -> ListResource:
    """The resource of a desk's list as ``request.user`` sees it, headers in the present language."""
    columns = _columns(desk, request)
    fields = {
        column.name: Field(
            column_name=capfirst(str(column.label)),
            dehydrate_method=_cell_of(column.getter(desk.model, in_clear=in_clear)),
        )
        for column in columns
    }
    recorded = [f"{c.name}:masked" if c.masked is not None and not in_clear else c.name for c in columns]
    named = {**fields, "model": desk.model, "recorded": recorded}
    made = type(f"{desk.model.__name__}ListResource", (ListResource,), named)
    return made()


def has_personal(desk: Any, request: Any) -> bool:
    """Whether the list's files have values that can be asked for in clear."""
    return any(column.masked is not None for column in _columns(desk, request))


def _columns(desk: Any, request: Any) -> list[Exported]:
    own = {column.name: column for column in desk.all_exported}
    left_out = set(desk.not_exported)
    listed = [(_name(item), item) for item in desk.get_list_display(request)]
    columns = [own.pop(name, None) or _listed(desk, name, item) for name, item in listed if name not in left_out]
    for more in own.values():
        names = [column.name for column in columns]
        columns.insert(names.index(more.after) + 1 if more.after in names else len(names), more)
    return columns


def _name(item: Any) -> str:
    return item.__name__ if callable(item) else item


def _listed(desk: Any, name: str, item: Any) -> Exported:
    """A column as the list shows it."""
    return Exported(name, label_for_field(item, desk.model, desk), _getter(desk, item))


def _getter(desk: Any, item: Any) -> Getter:
    if callable(item):
        return _decorated(item)
    try:
        return _of_field(desk.opts.get_field(item))
    except FieldDoesNotExist:
        pass
    if item == "__str__":
        return str
    shown = getattr(desk, item, None)
    if shown is None:
        return _along(item.replace("__", "."))
    return _decorated(shown)


def _of_field(field: ModelField) -> Getter:
    if isinstance(field, EncryptedTextField):
        raise ImproperlyConfigured(f"{field} is encrypted: name it in `exported`, with a mask.")
    return _choice(field) if field.choices else attrgetter(field.name)


def _choice(field: ModelField) -> Getter:
    """The words of a field's values, in the present language: looked up once and not for every row."""
    words = {value: str(label) for value, label in field.flatchoices}
    return lambda row: words.get(value := getattr(row, field.attname), value)


def _decorated(shown: Getter) -> Getter:
    """What a function shows in the list; the number, day or text it is ordered by where it only dresses that up."""
    order = getattr(shown, "admin_order_field", None)
    raw = _along(order.lstrip("-").replace("__", ".")) if isinstance(order, str) else None

    def read(row: Any) -> Any:
        value = shown(row)
        if isinstance(value, list | tuple):  # of a state with its colour: (state, words)
            value = value[-1]
        if isinstance(value, str | Promise) and raw is not None:
            below = raw(row)
            if isinstance(below, int | float | Decimal | date) and not isinstance(below, bool):
                return below
            if below == value:
                return value
        return None if value == UNKNOWN else value

    return read


def _cell_of(get: Getter) -> Getter:
    return lambda row: cell_value(get(row))


def cell_value(value: Any) -> Any:
    """None, a text, a number, a day or a local time without zone: what the formats write. A text stays as it is."""
    if value is None or type(value) is str:
        return value
    if isinstance(value, SafeData):
        return html.unescape(strip_tags(str(value)))
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, int | float | Decimal):
        return plain_number(value)
    if isinstance(value, datetime):
        local = timezone.localtime(value) if timezone.is_aware(value) else value
        return local.replace(tzinfo=None, microsecond=0)
    if isinstance(value, date):
        return value
    if isinstance(value, dict | list | tuple | set):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)

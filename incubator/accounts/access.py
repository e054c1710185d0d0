"""The only writer of access records. The database refuses to change or delete one."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from incubator.accounts.choices import AccessKind
from incubator.accounts.models import AccessRecord


def record_access(
    model: type[Model],
    *,
    kind: AccessKind,
    by: Any,
    fields: Iterable[str],
    row: Any = "",
    count: int = 1,
    reason: str = "",
) -> AccessRecord:
    """Record that ``by`` saw or took ``fields`` of one ``row`` (its primary key) or of ``count`` rows of ``model``.

    Call it in the transaction that hands the data out: without the record there is no data.
    """
    return AccessRecord.objects.create(
        kind=kind, by=by, what=model._meta.label_lower, row=str(row), fields=list(fields), count=count, reason=reason
    )

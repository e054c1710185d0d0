"""Accounts by what people type, and told to the trainees room: whose account it is."""

import re
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Lower

from incubator.metrics.models import CreatorAccount
from trainees.finders import finds_people

HANDLE = re.compile(r"@?([0-9a-z][0-9a-z_.-]+)", re.IGNORECASE)
SHORT = 4  # characters; of fewer only a whole handle is meant: they are the initials of thousands


def accounts_by_handle(accounts: QuerySet[CreatorAccount], word: str) -> QuerySet[CreatorAccount]:
    """Accounts whose handle begins with ``word``, in upper or lower case; an index by the folded handle answers."""
    return accounts.alias(folded=Lower("handle")).filter(folded__startswith=word.lower())


@finds_people
def trainees_by_handle(word: str) -> QuerySet[Any, Any] | None:
    """Ids of those whose handle begins with a word of four characters or more, or is a word of two or three."""
    handle = HANDLE.fullmatch(word)
    if handle is None:
        return None
    accounts, word = CreatorAccount.objects.order_by(), handle[1].lower()
    if len(word) < SHORT:
        return accounts.alias(folded=Lower("handle")).filter(folded=word).values("trainee")
    return accounts_by_handle(accounts, word).values("trainee")

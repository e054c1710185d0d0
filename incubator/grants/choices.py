"""States of a grant, levels of support, kinds of ledger entry."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class GrantState(models.TextChoices):
    PROPOSED = "proposed", _("proposed")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    CANCELLED = "cancelled", _("cancelled")


MOVES: dict[str, frozenset[str]] = {
    GrantState.PROPOSED: frozenset({GrantState.APPROVED, GrantState.REFUSED}),
    GrantState.APPROVED: frozenset({GrantState.CANCELLED}),
    GrantState.REFUSED: frozenset(),
    GrantState.CANCELLED: frozenset(),
}


class SupportLevel(models.TextChoices):
    FIRST = "first", _("level one")
    SECOND = "second", _("level two")
    THIRD = "third", _("level three")


class EntryKind(models.TextChoices):
    PROMISE = "promise", _("promised")
    RETURN = "return", _("given back")

"""States of a staged import."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("uploaded")
    CHECKED = "checked", _("to be confirmed")
    REFUSED = "refused", _("refused")
    APPLIED = "applied", _("applied")
    DISCARDED = "discarded", _("discarded")


S = ImportState
MOVES: dict[str, frozenset[str]] = {
    S.UPLOADED: frozenset({S.CHECKED, S.REFUSED, S.DISCARDED}),
    S.CHECKED: frozenset({S.APPLIED, S.CHECKED, S.DISCARDED}),
    S.REFUSED: frozenset({S.CHECKED, S.REFUSED, S.DISCARDED}),
    S.APPLIED: frozenset(),
    S.DISCARDED: frozenset(),
}
CAN_BE_READ_AGAIN = (S.CHECKED, S.REFUSED)

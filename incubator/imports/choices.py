"""States of a staged import."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ImportState(models.TextChoices):
    """Checked: nothing is to be decided. In review: rows are wrong or doubtful."""

    UPLOADED = "uploaded", _("uploaded")
    READING = "reading", _("being read")
    CHECKED = "checked", _("to be confirmed")
    IN_REVIEW = "in_review", _("in review")
    REFUSED = "refused", _("refused")
    FAILED = "failed", pgettext_lazy("import", "failed")
    APPLIED = "applied", _("applied")
    DISCARDED = "discarded", _("discarded")
    UNDONE = "undone", pgettext_lazy("import", "undone")


S = ImportState
MOVES: dict[str, frozenset[str]] = {
    S.UPLOADED: frozenset({S.READING, S.REFUSED, S.FAILED, S.DISCARDED}),
    S.READING: frozenset({S.READING, S.CHECKED, S.IN_REVIEW, S.REFUSED, S.FAILED, S.DISCARDED}),
    S.CHECKED: frozenset({S.READING, S.CHECKED, S.IN_REVIEW, S.APPLIED, S.DISCARDED}),
    S.IN_REVIEW: frozenset({S.READING, S.CHECKED, S.IN_REVIEW, S.APPLIED, S.DISCARDED}),
    S.REFUSED: frozenset({S.READING, S.DISCARDED}),
    S.FAILED: frozenset({S.READING, S.DISCARDED}),
    S.APPLIED: frozenset({S.UNDONE}),
    S.DISCARDED: frozenset(),
    S.UNDONE: frozenset(),
}
TO_CONFIRM = (S.CHECKED, S.IN_REVIEW)  # read, and nothing written yet
ON_THE_WAY = (S.UPLOADED, S.READING)
CAN_BE_READ_AGAIN = (S.CHECKED, S.IN_REVIEW, S.REFUSED, S.FAILED)


def states_before(after: ImportState) -> list[str]:
    """States from which ``after`` can be reached: where its button is offered."""
    return [before for before, allowed in MOVES.items() if after in allowed]

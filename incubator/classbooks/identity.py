"""What the workbook of a class says of itself: which class it was made for, signed, in a hidden sheet.

A workbook that somebody made has no such sheet and is welcome. One that has it is taken for its own class only.
"""

from typing import Any

import xlsxwriter
from django.core import signing
from django.utils.translation import gettext as _

from courses.models import TrainingClass
from incubator.common.errors import RuleBroken

SHEET = "incubator"  # its name; the text stands in its first cell
SALT = "incubator.classbooks.template"


def write_identity(book: xlsxwriter.Workbook, training_class: TrainingClass) -> None:
    hidden = book.add_worksheet(SHEET)
    hidden.write_string(0, 0, signing.dumps(training_class.pk, salt=SALT))
    hidden.very_hidden()


def check_identity(text: str, *, training_class: TrainingClass, by: Any) -> None:
    """Raises ``RuleBroken`` for the workbook of another class, whose name is told only to those who may see it."""
    if not text:
        return
    try:
        pk = int(signing.loads("".join(text.split()), salt=SALT))
    except (signing.BadSignature, TypeError, ValueError):
        raise RuleBroken(
            _(
                "The hidden mark of this workbook is not that of a class's attendance. "
                "Download the workbook of “%(ours)s” and copy the rows into it."
            )
            % {"ours": training_class}
        ) from None
    if pk == training_class.pk:
        return
    theirs = TrainingClass.objects.visible_to(by).filter(pk=pk).first()
    if theirs is None:
        raise RuleBroken(
            _("This is the workbook of another class, and this import is for “%(ours)s”.") % {"ours": training_class}
        )
    raise RuleBroken(
        _("This is the workbook of “%(theirs)s”, and this import is for “%(ours)s”. Upload it for its own class.")
        % {"theirs": theirs, "ours": training_class}
    )

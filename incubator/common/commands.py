"""What the management commands share: how a day is typed, and how a refusal is told."""

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _

from incubator.common.errors import RuleBroken


def day(text: str) -> date:
    """A day as an argument: ``2026-11-25``."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(_("“%(text)s” is not a day. Write it like 2026-11-25.") % {"text": text}) from None


@contextmanager
def told() -> Iterator[None]:
    """A refusal, or a database that is away, is one sentence and exit code 1."""
    try:
        yield
    except RuleBroken as refusal:
        raise CommandError(str(refusal)) from None
    except DatabaseError as error:
        kind = type(error).__name__
        raise CommandError(
            _("The database does not answer (%(kind)s). Try manage.py doctor.") % {"kind": kind}
        ) from None

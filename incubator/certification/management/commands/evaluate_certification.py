"""``manage.py evaluate_certification [--day]``: who reached a badge's rule, found as the nightly task finds them."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.certification.services import current_rules, evaluate
from incubator.common import commands


class Command(BaseCommand):
    help = (
        "Finds the graduates who reached a published rule by a day and makes them candidates; run again it adds nobody "
        "twice. Exit code 0: done; 1: it could not be done; 2: a wrong argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--day", type=commands.day, help="readings up to this day count; default: today")
        parser.add_argument("--dry-run", action="store_true", help="only say how many candidates would be found")

    def handle(self, *args: Any, day: date | None, dry_run: bool, **options: Any) -> None:
        today = timezone.localdate()
        if day and day > today:
            raise CommandError(_("%(day)s is still to come.") % {"day": day}, returncode=2)
        with commands.told():
            self._find(day or today, dry_run=dry_run)

    @transaction.atomic
    def _find(self, day: date, *, dry_run: bool) -> None:
        rules = current_rules()
        if not rules:
            raise CommandError(_("No rule is published, so nobody can be found. Publish one in the staff desk."))
        found = evaluate(on=day)
        transaction.set_rollback(dry_run)
        said = (
            _("Nothing was written; candidates that would be found: %(count)d.")
            if dry_run
            else _("New candidates: %(count)d.")
        )
        self.stdout.write(said % {"count": found})

"""``manage.py load_divisions``: the divisions and key counties that come with the product, into the database."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from incubator.regions.services import load_divisions


class Command(BaseCommand):
    help = "Adds the divisions and key counties that are missing. Rows edited by staff stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be added")

    @transaction.atomic
    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        added = load_divisions()
        transaction.set_rollback(dry_run)
        self.stdout.write(", ".join(f"{kind}: {count} added" for kind, count in added.items()))

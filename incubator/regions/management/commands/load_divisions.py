"""``manage.py load_divisions``: the divisions and key counties that come with the product, into the database."""

from django.core.management.base import BaseCommand

from incubator.regions.services import load_divisions


class Command(BaseCommand):
    help = "Adds the divisions and key counties that are missing. Rows edited by staff stay as they are."

    def handle(self, *args, **options):
        added = load_divisions()
        self.stdout.write(", ".join(f"{kind}: {count} added" for kind, count in added.items()))

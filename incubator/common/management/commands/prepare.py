"""``manage.py prepare``: the database made ready for the programs, in one process."""

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Brings the tables up to date and loads the divisions. Safe to run again."
    requires_system_checks = []  # the start waits for this; ``check`` is for tests and CI

    def handle(self, *args, **options):
        call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
        call_command("load_divisions", verbosity=options["verbosity"], stdout=self.stdout)

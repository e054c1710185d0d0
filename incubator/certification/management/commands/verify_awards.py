"""``manage.py verify_awards [--county] [--year]``: every award decided anew, from its dossier and from the raw rows."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from incubator.certification.services.verification import awards_to_verify, verify_awards
from incubator.common import commands
from incubator.regions.models import Region


class Command(BaseCommand):
    help = (
        "Decides every award anew: from its dossier alone (digest, conditions), and from the readings and "
        "participations there are. Prints a line for each difference and says whether something later explains it, "
        "such as a corrected reading. Exit code 0: every award is proved; 1: some are not, or it could not be done; "
        "2: a wrong argument."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--county", default="", help="code of a region: only awards of it and what lies below it")
        parser.add_argument("--year", type=int, help="only awards of that year")

    def handle(self, *args: Any, county: str, year: int | None, **options: Any) -> None:
        with commands.told():
            self._verify(county, year)

    def _verify(self, county: str, year: int | None) -> None:
        if county and not Region.objects.filter(code=county).exists():
            raise CommandError(_("There is no region %(code)s.") % {"code": county}, returncode=2)
        awards, unproven = awards_to_verify(county=county, year=year), set()
        for finding in verify_awards(awards):
            self.stdout.write(finding.sentence)
            if not finding.is_explained:
                unproven.add(finding.award_id)
        counts = {"count": awards.count(), "unproven": len(unproven)}
        if unproven:
            raise CommandError(_("Awards: %(count)d; not proved: %(unproven)d.") % counts)
        self.stdout.write(_("Awards: %(count)d; every one is proved.") % counts)

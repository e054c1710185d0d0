"""``manage.py county_report CODE --period 2026Q3 --format xlsx --output FILE``: a region's report as a file."""

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from incubator.common.encryption import Undecipherable
from incubator.common.errors import RuleBroken
from incubator.regions.models import Region
from incubator.reports.periods import Period
from incubator.reports.queries import CountyFigures
from incubator.reports.services import CODE, COUNTRY
from incubator.reports.workbook import write_csv, write_workbook

WRITERS = {"xlsx": write_workbook, "csv": write_csv}


class Command(BaseCommand):
    help = (
        "Writes the report of a county, prefecture, province or the whole country to a file. "
        "Exit code 0: written; 1: it could not be written; 2: a wrong argument. Nothing is left behind on an error."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="six-digit code of the region, or “all” for the whole country")
        parser.add_argument("--period", required=True, help="2026Q3, 2026H1, 2026 or 2026-08")
        parser.add_argument("--format", choices=sorted(WRITERS), default="xlsx", help="default: xlsx")
        parser.add_argument("--output", required=True, type=Path, metavar="FILE", help="written whole or not at all")
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, default=settings.LANGUAGE_CODE)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            figures = self._write(**options)
        except RuleBroken as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be written: %(why)s.") % {"file": options["output"], "why": error.strerror or error}
            ) from None
        except DatabaseError as error:
            raise CommandError(
                f"The database does not answer ({type(error).__name__}). Try manage.py doctor."
            ) from None
        except Undecipherable:
            raise CommandError(_("PERSONAL_DATA_KEY is not the key these people were entered with.")) from None
        done = _("%(file)s: %(count)s trainees, followers as of %(day)s.")
        self.stdout.write(done % {"file": options["output"], "count": figures.trainees, "day": figures.as_of or "—"})

    def _write(
        self, code: str, period: str, format: str, output: Path, language: str, **_options: Any
    ) -> CountyFigures:
        chosen, region = _period(period), _region(code)
        if output.is_dir():
            raise CommandError(_("%(file)s is a folder. Name a file.") % {"file": output}, returncode=2)
        # Beside the file, so that the last step is a rename: whoever reads the file never sees half of one.
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".county_report-") as folder:
            half = Path(folder) / output.name
            figures = WRITERS[format](half, region, chosen, as_of=timezone.localdate(), language=language)
            half.replace(output)
        return figures


def _period(text: str) -> Period:
    try:
        return Period.parse(text)
    except RuleBroken as refusal:
        raise CommandError(str(refusal), returncode=2) from None


def _region(code: str) -> Region | None:
    """The region; None is the whole country."""
    if code == COUNTRY:
        return None
    regions = Region.objects.select_related("province", "prefecture")
    found = regions.filter(code=code).first() if CODE.fullmatch(code) else None
    if found is None:
        raise CommandError(
            _("No region has the code “%(code)s”. Write six digits, or “all”.") % {"code": code}, returncode=2
        )
    return found

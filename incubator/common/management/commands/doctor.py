"""``manage.py doctor``: what is wrong with this installation, one line each, and what to do about it."""

import sys

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from incubator.common.diagnosis import examine


class Command(BaseCommand):
    help = "Looks at everything that has to be right, one line each. Ends with 0 when there is no problem, else 1."
    requires_system_checks = []  # it has to speak when the database does not

    def handle(self, *args, **options):
        marks = {
            "ok": self.style.SUCCESS("OK     "),
            "warning": self.style.WARNING("WARNING"),
            "problem": self.style.ERROR("PROBLEM"),
            "unknown": "?      ",
        }
        problems = 0
        for title, finding in examine():
            problems += finding.level == "problem"
            self.stdout.write(f"{marks[finding.level]}  {title}: {finding.text}")
        if problems:
            self.stdout.write(_("Problems found: %(count)d. Begin with the first.") % {"count": problems})
            sys.exit(1)
        self.stdout.write(_("Everything is well."))

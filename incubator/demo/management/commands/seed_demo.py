"""``manage.py seed_demo``: the demo county, built through the services; run again it finishes or leaves it."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from incubator.common.errors import RuleBroken
from incubator.demo import ceremony, second_platform, stage, training
from incubator.demo.cast import LOGINS, PASSWORD
from incubator.demo.vendor import Vendor, VendorAway
from incubator.metrics.choices import Platform


class Command(BaseCommand):
    help = "Builds the demo county through the services. Needs the worker and the platform simulator to run."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("The demo is only built where INCUBATOR_DEMO=1 is set (make run sets it).")
        try:
            self._build()
        except VendorAway as error:
            raise CommandError(f"The platform simulator does not answer ({error}). Start it with make run.") from None
        except (stage.DemoFailed, RuleBroken) as error:
            raise CommandError(str(error)) from None
        except (OperationalError, InterfaceError):
            raise CommandError("The database went away. The next start finishes the demo county.") from None

    def _build(self) -> None:
        began = time.monotonic()
        clock = stage.find_clock(timezone.localdate())
        vendor = Vendor(settings.KUAISHOU_BASE_URL)
        manager = stage.cast_logins()
        cohort = stage.set_the_scene(clock, by=manager)
        self._act("Importing three county rosters")
        stage.import_rosters(cohort, clock, by=manager, say=self._say)
        self._act("Teaching, marking attendance, examining, graduating")
        stage.teach(cohort, clock, by=manager)
        training.study_online(cohort, clock)
        training.examine(cohort, clock, by=manager)
        self._say(f"  {stage.graduate_who_may(cohort, clock, by=manager)} people graduated now")
        training.hear(cohort, clock)
        self._act("Creators consent on the platform")
        vendor.cast(stage.curves(cohort, clock))
        stage.consent_everybody(cohort, clock, vendor, by=manager, say=self._say)
        self._act("Reading followers over HTTP by the worker: 83 days of Kuaishou")
        stage.read_days(clock.kuaishou_days, [Platform.KUAISHOU], clock, vendor, say=self._say)
        self._act("A second platform: some consent on Douyin too, which tells 30 days back")
        second_platform.open_douyin_accounts(cohort, clock, vendor)
        second_platform.consent(cohort, clock, vendor, by=manager, say=self._say)
        stage.read_days(clock.douyin_days, list(Platform.values), clock, vendor, say=self._say)
        self._act("A county without consent on Douyin uploads a workbook of figures")
        second_platform.count_by_hand(cohort, clock, say=self._say)
        vendor.set_clock(None)
        self._act("Granting traffic, certifying, forecasting, printing certificates, writing the county report")
        stage.give_traffic(cohort, clock, by=manager)
        stage.certify(clock)
        ceremony.move_support(cohort, clock, by=manager)
        ceremony.hold_ceremony(cohort, clock)
        self._say(f"  {stage.forecast(clock)} people in support have a forecast")
        stage.write_report(clock)
        self._tell_logins(stage.open_trainee_logins(cohort))
        self._say(f"The demo county is ready ({time.monotonic() - began:.0f} s).")

    def _act(self, title: str) -> None:
        self._say(f"· {title}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _tell_logins(self, trainees: list[tuple[str, str]]) -> None:
        self._say(f"\nLog in with the password {PASSWORD} as:")
        for login in LOGINS:
            self._say(f"  {login.username:<16} {login.display_name}")
        for number, who in trainees:
            self._say(f"  {number:<16} trainee: {who}")

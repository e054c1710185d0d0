"""What comes after the first awards: support periods that were moved, a seal, and a ceremony with its certificates."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import typst

from incubator.accounts.models import User
from incubator.certificates.choices import CeremonyOrder
from incubator.certificates.models import Ceremony, Seal
from incubator.certificates.services import ask_for_certificates, open_ceremony, put_seal, take_awards
from incubator.common.pdf import FONTS
from incubator.demo.clock import DemoClock
from incubator.demo.stage import wait_for_job
from incubator.jobs.choices import JobState
from incubator.programmes.choices import Cause
from incubator.programmes.models import Cohort, Participation, SupportChange
from incubator.programmes.support import extend_support, pause_support

CEREMONY, PLACE = "首批幸福乡村带头人授证仪式", "临夏州会展中心"
ISSUER = "农村青年主播培育项目办公室（演示）"
SEAL = Path(__file__).with_name("seal.typ")


def move_support(cohort: Cohort, clock: DemoClock, *, by: User) -> None:
    """One period stood still for an illness, one stands still with the account suspended, and one is longer."""
    if SupportChange.objects.filter(participation__cohort=cohort).exists():
        return
    on = clock.built_on
    waiting = Participation.objects.filter(cohort=cohort, trainee__awards=None).in_support(on).order_by("pk")
    ill, suspended, late = waiting[:3]
    pause_support(
        ill,
        first_day=on - timedelta(days=20),
        last_day=on - timedelta(days=9),
        cause=Cause.ILLNESS,
        reason="住院手术，县里已核对病历。",
        by=by,
        on=on,
    )
    pause_support(
        suspended,
        first_day=on - timedelta(days=3),
        cause=Cause.SUSPENDED,
        reason="账号被平台误封，已提交申诉。",
        by=by,
        on=on,
    )
    extend_support(late, days=15, cause=Cause.OTHER, reason="村里网络检修两周，无法直播。", by=by, on=on)


def hold_ceremony(cohort: Cohort, clock: DemoClock) -> None:
    """The certifier puts the seal in use, chooses everybody awarded so far, and the worker makes the certificates."""
    certifier = User.objects.get(username="certifier")
    if not Seal.objects.filter(programme=cohort.programme).exists():
        put_seal(cohort.programme, BytesIO(_seal()), issuer=ISSUER, by=certifier)
    ceremony = Ceremony.objects.filter(name=CEREMONY).first() or open_ceremony(
        name=CEREMONY,
        held_on=clock.built_on + timedelta(days=10),
        place=PLACE,
        region=None,
        order=CeremonyOrder.COUNTY,
        by=certifier,
    )
    if not ceremony.places.exists():
        take_awards(ceremony, by=certifier, on=clock.built_on)
    if ceremony.job is None or ceremony.job.state != JobState.DONE:
        wait_for_job(ask_for_certificates(ceremony, by=certifier, order=ceremony.order).job)


def _seal() -> bytes:
    """A PNG of 500 pixels a side."""
    made = typst.compile(str(SEAL), font_paths=[str(FONTS)], ignore_system_fonts=True, format="png", ppi=302)
    return bytes(made)  # type: ignore[arg-type]

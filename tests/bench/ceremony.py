"""The credentials and certificates of ten thousand awards as one job, against one award after the other."""

import random
import time
from datetime import date
from io import BytesIO
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.utils import timezone

from tests.bench.desk import invented_name
from tests.bench.measure import FULL, Result, benchmark, rate, timed
from tests.bench.servers import database
from tests.bench.world import say

AWARDS = {True: 10_000, False: 100}
ONE_BY_ONE = {True: 40, False: 5}
GRADUATED, AWARDED = date(2026, 6, 1), date(2026, 11, 20)


@benchmark("ceremony_10k")
def ceremony_10k(accounts: int) -> list[Result]:
    is_full = accounts >= FULL
    with database("ceremony"):
        head, ceremony, awards = _prepare(AWARDS[is_full])
        say(f"ceremony_10k: measuring {ONE_BY_ONE[is_full]} awards one after the other")
        looped = _one_by_one(awards[: ONE_BY_ONE[is_full]], head)
        say(f"ceremony_10k: measuring {len(awards):,} awards in one job")
        seconds, megabytes = _one_job(ceremony, head, len(awards))
    what = (
        f"one background job signs the credentials of {len(awards):,} awards and makes one PDF of as many pages, "
        f"{megabytes} MB; baseline: {len(looped)} awards one after the other, each a credential and a PDF."
    )
    return [Result("ceremony_10k", what, "awards/s", rate(len(awards), seconds), rate(1, looped))]


def _prepare(count: int) -> tuple[Any, Any, list[int]]:
    from incubator.accounts.models import User
    from incubator.certificates.services import open_ceremony, put_seal, take_awards
    from incubator.certification.models import Award
    from tests.certificates.world import PICTURE, programme_of

    say(f"ceremony_10k: making {count:,} awards")
    call_command("load_divisions", verbosity=0)
    head = User.objects.create_superuser("root", password="a long password")
    awards = _awards(count, head)
    put_seal(programme_of(awards[0]), BytesIO(PICTURE), issuer="县委组织部", by=head)
    place = {"name": "颁证仪式", "held_on": timezone.localdate(), "place": "", "region": None, "order": "name"}
    ceremony = open_ceremony(**place, by=head)
    taken = take_awards(ceremony, by=head, on=timezone.localdate())
    if taken != count or Award.objects.count() != count:
        raise RuntimeError(f"{taken} of {count} awards taken")
    return head, ceremony, [award.pk for award in awards]


def _awards(count: int, head: Any) -> list[Any]:
    """Awards of people of all counties, without the way to them."""
    from incubator.certification.models import Award, Badge, Candidate, Rule
    from incubator.metrics.models import CreatorAccount
    from incubator.programmes.models import Cohort, Participation, Programme
    from incubator.regions.models import Region
    from trainees.models import Trainee

    dice = random.Random(3)
    counties = list(Region.objects.with_people().current().order_by("code"))
    programme = Programme.objects.create(name="农村青年主播")
    cohort = Cohort.objects.create(programme=programme, name="2026", starts_on="2026-03-01", ends_on="2026-12-31")
    badge = Badge.objects.create(code="bench", name="幸福乡村带头人")
    rule = Rule.objects.create(badge=badge, version=1, conditions={"kind": "graduated"}, published_at=timezone.now())
    people = Trainee.objects.bulk_create(
        Trainee(number=f"T{n:09d}", name=invented_name(dice), county=counties[n % len(counties)]) for n in range(count)
    )
    support = {"support_starts_on": GRADUATED, "support_ends_on": AWARDED}
    rows = Participation.objects.bulk_create(
        Participation(trainee=person, cohort=cohort, state="graduated", nominated_on="2026-03-01",
                      graduated_on=GRADUATED, **support)
        for person in people
    )  # fmt: skip
    accounts = CreatorAccount.objects.bulk_create(
        CreatorAccount(trainee=person, handle=person.number, state="linked") for person in people
    )
    decided = {"state": "approved", "was_decided_alone": True, "decided_by": head, "decided_at": timezone.now()}
    candidates = Candidate.objects.bulk_create(
        Candidate(rule=rule, participation=row, account=account, crossed_on="2026-09-03", followers=120_345,
                  found_on="2026-09-04", **decided)
        for row, account in zip(rows, accounts, strict=True)
    )  # fmt: skip
    evidence = {
        "reading": {"day": "2026-09-03", "followers": 120_345},
        "participation": {"cohort": str(cohort), "graduated_on": GRADUATED.isoformat()},
    }
    return Award.objects.bulk_create(
        Award(number=f"XC-2026-{person.county_id}-{n:05d}", badge=badge, trainee=person, candidate=candidate,
              awarded_on=AWARDED, awarded_by=head, holder_name=person.name, evidence=evidence)
        for n, (person, candidate) in enumerate(zip(people, candidates, strict=True))
    )  # fmt: skip


def _one_by_one(awards: list[int], head: Any) -> list[float]:
    """Seconds of each; what was written is what the job finds written for these few."""
    from incubator.certificates.paper import certificate_pdf
    from incubator.certificates.queries import on_paper
    from incubator.certificates.services import edition_to_print
    from incubator.credentials.services import issue_credentials

    seconds: list[float] = []
    for pk in awards:
        with timed(seconds):
            [award] = on_paper([pk])
            issue_credentials([award])
            certificate_pdf(edition_to_print(award, by=head, on=timezone.localdate()), on=timezone.localdate())
    return seconds


def _one_job(ceremony: Any, head: Any, count: int) -> tuple[list[float], int]:
    from incubator.certificates.services import ask_for_certificates
    from incubator.jobs import services as jobs
    from incubator.jobs.models import Job

    with mock.patch.object(jobs, "_send_now"):  # nobody is to take the job away: it is run here
        ask_for_certificates(ceremony, by=head, order="name")
    began = time.perf_counter()
    jobs.run(ceremony.job_id)
    seconds = time.perf_counter() - began
    job = Job.objects.get(pk=ceremony.job_id)
    if job.state != "done" or job.result["printed"] != count or job.done != 2 * count:
        raise RuntimeError(f"{job.state}: {job.result}, {job.done} steps, {job.error}")
    return [seconds], job.result_file.size // 2**20

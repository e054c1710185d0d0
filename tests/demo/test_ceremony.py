"""The demo's support periods that were moved, and its ceremony; built again, nothing is there twice."""

from datetime import date, timedelta

import pytest

from incubator.accounts.models import User
from incubator.certificates.models import Ceremony, Edition, Seal
from incubator.demo import ceremony
from incubator.demo.cast import LOGINS
from incubator.demo.clock import DemoClock
from incubator.jobs.choices import JobState
from incubator.jobs.models import Job
from incubator.jobs.services import run
from incubator.programmes.models import Participation, SupportChange
from tests import factories
from tests.certificates.world import award_of

pytestmark = pytest.mark.django_db
CLOCK = DemoClock(date(2026, 11, 28))


@pytest.fixture
def cohort():
    cohort = factories.CohortFactory()
    for login in LOGINS:
        factories.UserFactory(username=login.username, is_superuser=login.username == "certifier")
    return cohort


def test_support_periods_are_moved_once(cohort):
    people = [factories.graduate_row(CLOCK.graduates_on, cohort=cohort) for _n in range(4)]
    manager = User.objects.get(username="manager")

    for _again in range(2):
        ceremony.move_support(cohort, CLOCK, by=manager)

    told = SupportChange.objects.order_by("pk").values_list("kind", "cause", "is_open")
    assert list(told) == [("pause", "illness", False), ("pause", "suspended", True), ("extension", "other", False)]
    ends = dict(Participation.objects.values_list("pk", "support_ends_on"))
    longer = [(ends[person.pk] - person.support_ends_on) // timedelta(days=1) for person in people]
    assert longer == [12, 4, 15, 0]


def test_the_ceremony_has_everybody_awarded_with_one_certificate_each(cohort, monkeypatch):
    awards = [award_of(f"王{n}", cohort=cohort) for n in "一二三"]

    def work(job):
        run(job.pk)
        job.refresh_from_db()
        assert job.state == JobState.DONE, job.error

    monkeypatch.setattr(ceremony, "wait_for_job", work)
    for _again in range(2):
        ceremony.hold_ceremony(cohort, CLOCK)

    held = Ceremony.objects.get()
    assert set(held.places.values_list("award", flat=True)) == {award.pk for award in awards}
    assert Seal.objects.get() and Edition.objects.filter(seal=Seal.objects.get()).count() == 3
    assert Job.objects.get(pk=held.job_id).result["printed"] == 3 and Job.objects.count() == 1

"""The staff desk: a roster from upload to written, a candidate from list to award."""

from django.utils import timezone

from incubator.certification.models import Award
from incubator.certification.services import evaluate
from incubator.demo.rosters.make import HERE, SAMPLES
from incubator.jobs import services as jobs
from incubator.regions.services import load_divisions
from incubator.rosters.models import RosterImport
from tests.factories import CohortFactory, RuleFactory, superuser
from tests.world import graduate
from trainees.models import Trainee


def test_a_roster_is_uploaded_previewed_and_written(visit, shoot, live_server):
    load_divisions()
    cohort = CohortFactory()
    superuser(username="root")
    sample = SAMPLES[0]
    page = visit("root", width=1280)

    page.goto(f"{live_server.url}/admin/rosters/rosterimport/add/")
    page.select_option("select[name=cohort]", str(cohort.pk))
    page.locator("span.select2-selection").first.click()
    page.locator("input.select2-search__field").fill("622927")
    page.locator(".select2-results__option", has_text="积石山").click()
    page.set_input_files("input[type=file]", HERE / sample.file_name)
    page.locator("button[name=_save]").click()
    page.wait_for_url("**/change/")
    assert page.locator("progress").count() == 1

    jobs.run(RosterImport.objects.get().job_id)
    button = page.get_by_role("button", name="确认写入")
    button.wait_for()
    shoot(page, "roster-preview")
    assert str(sample.count) in page.inner_text(".import-counts")
    assert not Trainee.objects.exists()
    button.click()
    page.get_by_text("已写入").first.wait_for()
    assert Trainee.objects.count() == sample.count


def test_a_candidate_is_reviewed_and_awarded(visit, shoot, live_server):
    RuleFactory()
    participation = graduate("T1", followers=[90_000, 99_000, 101_000])
    evaluate(on=timezone.localdate())
    superuser(username="root")
    superuser(username="second")
    page = visit("root", width=1280)
    shoot(page, "desk-home")

    page.get_by_role("link", name="待审核的认证候选").click()
    page.get_by_role("link", name=participation.trainee.number).first.click()
    shoot(page, "candidate")
    page.get_by_text("101,000").first.wait_for()
    page.locator("summary", has_text="提请批准").click()  # a remark may be left, and must where a leap is not explained
    page.get_by_role("button", name="提请批准").click()
    page.get_by_role("button", name="通过").first.wait_for()
    assert page.get_by_role("button", name="通过").first.is_disabled() and not Award.objects.exists()

    second = visit("second", width=1280)
    second.goto(page.url)
    second.get_by_role("button", name="通过").first.click()
    second.get_by_text("已通过").first.wait_for()
    assert Award.objects.get().trainee == participation.trainee

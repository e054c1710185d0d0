"""A roster from the desk: uploaded, a wrong row put right by hand, written, and taken back."""

import pytest

from incubator.jobs import services as jobs
from incubator.regions.models import Region
from incubator.regions.services import load_divisions
from incubator.rosters.models import RosterImport
from tests.browser.conftest import fits
from tests.browser.test_roster_files import XLSX
from tests.factories import CohortFactory, superuser
from tests.rosters.test_import import PEOPLE, line, workbook
from trainees.models import Trainee


@pytest.mark.parametrize("width", [390, 1280])
def test_a_roster_is_uploaded_put_right_written_and_taken_back(visit, live_server, shoot, width):
    load_divisions()
    county = Region.objects.get(code="622927")
    superuser(username="root")
    cohort = CohortFactory()
    page = visit("root", width=width)
    desk = f"{live_server.url}/admin/rosters/rosterimport/"

    def look(name):
        assert fits(page), f"{name} is wider than {width}"
        shoot(page, f"roster-{name}-{width}")

    def move(name):
        """Make a move; where it asks something first, look at that."""
        form = page.locator(f"form[action*='/{name}/']")
        if not form.is_visible():
            page.locator(f"details.desk-move:has(form[action*='/{name}/']) summary").click()
            form.locator("input[type=checkbox]").check()
            look(f"asked-{name}")
        form.locator("button").click()
        page.wait_for_load_state()

    page.goto(f"{desk}add/")
    page.evaluate(
        "([id, code, name]) => { const s = document.querySelector('#id_region');"
        " s.append(new Option(name, code, true, true)); document.querySelector('#id_cohort').value = id; }",
        [str(cohort.pk), county.pk, county.name],
    )
    rows = [line(0), line(1, 联系电话="0930-7721234"), line(2)]
    page.set_input_files("#id_file", {"name": "积石山.xlsx", "mimeType": XLSX, "buffer": workbook(rows).getvalue()})
    look("upload")
    page.locator("[name=_save]").click()
    page.wait_for_load_state()
    roster = RosterImport.objects.get()
    jobs.run(roster.job_id)

    page.goto(f"{desk}{roster.pk}/change/")
    look("in-review")
    page.locator("a[href$='/rows/5/']").click()
    page.wait_for_load_state()
    look("wrong-row")
    page.fill("#id_phone", PEOPLE[1].phone)
    page.locator("button[value=correct]").click()
    page.wait_for_load_state()
    look("row-put-right")
    page.goto(f"{desk}{roster.pk}/change/")
    look("ready")
    move("apply")
    look("applied")
    roster.refresh_from_db()
    assert (roster.state, Trainee.objects.count()) == ("applied", 3)

    move("undo")
    look("undone")
    roster.refresh_from_db()
    assert (roster.state, Trainee.objects.count()) == ("undone", 0)
    page.goto(desk)
    look("list")

"""A roster's files at the desk: a template is chosen, a wrong workbook taken with its findings and brought back."""

import openpyxl
import pytest

from incubator.jobs import services as jobs
from incubator.regions.models import Region
from incubator.regions.services import load_divisions
from incubator.rosters.models import RosterImport
from tests.browser.conftest import fits
from tests.factories import CohortFactory, superuser
from tests.rosters.test_import import HEADERS, PEOPLE, bring_in, line, workbook

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def county():
    load_divisions()
    return Region.objects.get(code="622927")


@pytest.mark.parametrize("width", [390, 1400])
def test_a_template_is_chosen_and_fetched(visit, live_server, shoot, county, width, tmp_path):
    superuser(username="root")
    cohort = CohortFactory(name="2026春季")
    page = visit("root", width=width)
    page.goto(f"{live_server.url}/admin/rosters/rosterimport/template/")
    shoot(page, f"template-{width}")
    page.fill("[name=region]", "积石山县")
    with page.expect_download() as download:
        page.click("button.desk-button-main")
    path = tmp_path / "template.xlsx"
    download.value.save_as(path)

    assert "积石山" in download.value.suggested_filename and cohort.name in download.value.suggested_filename
    assert county.name in zipped_title(path)

    page.goto(f"{live_server.url}/admin/rosters/rosterimport/template/?region=没有&cohort={cohort.pk}")
    assert page.locator(".desk-error").count() == 1
    shoot(page, f"template-refused-{width}")
    for place, name in (("rosters/rosterimport/add/", "add"), (f"programmes/cohort/{cohort.pk}/change/", "cohort")):
        page.goto(f"{live_server.url}/admin/{place}")
        shoot(page, f"template-{name}-{width}")
        assert fits(page)


@pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning")
def zipped_title(path):
    return openpyxl.load_workbook(path)["报名表"]["A1"].value


@pytest.mark.parametrize("width", [390, 1400])
def test_a_wrong_workbook_is_taken_corrected_and_brought_back(visit, live_server, shoot, county, width, tmp_path):
    root, cohort = superuser(username="root"), CohortFactory()
    wrong = bring_in(workbook([line(0), line(1, 姓名="", 联系电话="0930-7721234")]), cohort, county, root)
    page = visit("root", width=width)
    page.goto(f"{live_server.url}/admin/rosters/rosterimport/{wrong.pk}/change/")
    shoot(page, f"marked-{width}")
    assert fits(page)
    with page.expect_download() as download:
        page.click(f"form[action$='/{wrong.pk}/marked/'] button")
    path = tmp_path / "marked.xlsx"
    download.value.save_as(path)
    book = openpyxl.load_workbook(path)
    for header, value in (("姓名", PEOPLE[1].name), ("联系电话", PEOPLE[1].phone)):
        book.worksheets[1].cell(5, HEADERS.index(header) + 1).value = value
    book.save(path)

    page.get_by_text("Upload a corrected workbook").or_(page.get_by_text("上传改好的表格")).first.click()
    page.set_input_files("input[type=file]", {"name": "改好.xlsx", "mimeType": XLSX, "buffer": path.read_bytes()})
    shoot(page, f"marked-upload-{width}")
    page.click("details.desk-move[open] button")
    page.wait_for_url(lambda url: f"/{wrong.pk}/" not in url)
    roster = RosterImport.objects.get(corrects=wrong)
    jobs.run(roster.job_id)
    page.goto(f"{live_server.url}/admin/rosters/rosterimport/{roster.pk}/change/")
    shoot(page, f"marked-corrected-{width}")

    roster.refresh_from_db()
    wrong.refresh_from_db()
    assert (roster.state, roster.new_count, roster.wrong_count, wrong.state) == ("checked", 2, 0, "discarded")
    assert page.locator(f"a[href$='/{wrong.pk}/change/']").count()

"""An official: the county's report on the screen, and its workbook."""

import openpyxl
import pytest

from incubator.jobs import services as jobs
from incubator.jobs.models import Job
from tests.browser.conftest import fits
from tests.factories import RuleFactory, official, region
from tests.world import graduate


@pytest.mark.parametrize("width", [1280, 390])
def test_the_report_is_read_and_its_workbook_fetched(visit, shoot, tmp_path, width):
    RuleFactory()
    county = region("622927", "积石山县")
    graduate("T1", followers=[20_000, 30_000], county=county, name="马小兰")
    graduate("T9", followers=[5_000], county=region("520526", "威宁县"), name="外县人")
    official("622927", username="county")
    page = visit("county", width=width)

    page.get_by_role("link", name="积石山县").first.click()
    shoot(page, f"report-{width}")
    assert "30,000" in page.inner_text("main")
    assert fits(page)

    page.get_by_role("button", name="生成工作簿").click()
    page.wait_for_url("**/jobs/*/")
    assert page.locator("progress").count() == 1
    shoot(page, f"job-{width}")
    jobs.run(Job.objects.get(kind="county_report").pk)
    link = page.get_by_role("link", name="下载文件")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    path = tmp_path / "report.xlsx"
    download.value.save_as(path)
    assert download.value.suggested_filename.endswith(".xlsx") and "积石山县" in download.value.suggested_filename
    cells = [
        str(cell) for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows(values_only=True) for cell in row
    ]
    assert "马小兰" in cells and "外县人" not in cells


def test_a_strangers_county_is_not_there(visit, live_server):
    official("622927", username="county")
    region("520526", "威宁县")
    page = visit("county", width=1280)

    answer = page.context.request.get(f"{live_server.url}/reports/520526/")

    assert answer.status == 404

"""Figures from a file: uploaded, previewed on a wide and a narrow screen, written."""

from datetime import timedelta

import pytest
from django.utils import timezone

from incubator.figures.models import FiguresImport
from incubator.jobs import services as jobs
from incubator.metrics.models import Reading
from incubator.regions.models import Region
from incubator.regions.services import load_divisions
from tests.browser.conftest import fits
from tests.factories import CreatorAccountFactory, TraineeFactory, reading, superuser
from tests.figures.test_import import line, workbook

TODAY = timezone.localdate()


@pytest.fixture
def accounts():
    load_divisions()
    county = Region.objects.get(code="622927")
    return [
        CreatorAccountFactory(trainee=TraineeFactory(county=county, name=f"马小{n}"), handle=f"jss_{n}")
        for n in range(1, 6)
    ]


def upload(page, live_server, file):
    """Through the form, to the import's own page, checked."""
    page.goto(f"{live_server.url}/admin/figures/figuresimport/add/")
    page.locator("span.select2-selection").first.click()
    page.locator("input.select2-search__field").fill("622927")
    page.locator(".select2-results__option", has_text="积石山").click()
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.set_input_files("input[type=file]", {"name": "粉丝数.xlsx", "mimeType": xlsx, "buffer": file.getvalue()})
    page.locator("button[name=_save]").click()
    page.wait_for_url("**/change/")
    jobs.run(FiguresImport.objects.latest("pk").job_id)


@pytest.mark.parametrize("width", [1280, 390])
def test_figures_are_uploaded_previewed_and_written(visit, shoot, live_server, accounts, width):
    superuser(username="root")
    reading(accounts[0], TODAY - timedelta(days=1), 12_000)
    reading(accounts[1], TODAY, 8_000)
    reading(accounts[2], TODAY - timedelta(days=3), 30_000)
    counts = [12_345, 8_100, 11_000, 900, "1,050"]
    rows = [line(f"jss_{n}", count, TODAY, f"马小{n}", n) for n, count in enumerate(counts, 1)]
    page = visit("root", width=width)

    upload(page, live_server, workbook(rows))
    page.locator(".import-counts").wait_for()
    shoot(page, f"figures-preview-{width}")
    assert fits(page)
    assert Reading.objects.count() == 3
    page.locator("form[action*='/move/apply/'] button").click()

    page.locator(".import-counts").wait_for()
    shoot(page, f"figures-written-{width}")
    assert FiguresImport.objects.get().state == "applied"
    assert Reading.objects.filter(source="file").count() == 3


def test_what_is_wrong_is_shown_by_row_and_column(visit, shoot, live_server, accounts):
    superuser(username="root")
    rows = [
        line("jss_1", "1.2万", TODAY),
        line("nobody", 5, TODAY),
        line("jss_2", "", TODAY),
        line("jss_3", 7, TODAY + timedelta(days=1)),
        line("jss_4", 7, TODAY),
        line("jss_4", 8, TODAY),
        line("jss_5", 8, TODAY, "牛五"),
    ]
    page = visit("root", width=1280)

    upload(page, live_server, workbook(rows))
    page.locator(".import-count-bad").wait_for()

    shoot(page, "figures-wrong-1280")
    assert page.locator(".import-bad").count() == 6
    assert page.locator("form[action*='/move/apply/']").count() == 0

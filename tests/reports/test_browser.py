"""Reports and background work in a real browser, wide and on a phone: the page never scrolls sideways."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection
from django.urls import reverse

from incubator.jobs import services
from incubator.jobs.models import Job
from incubator.regions.models import Region
from tests import factories
from tests.reports.world import PERIOD, PROVINCE, A, make_country

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SHOTS = os.environ.get("SCREENSHOTS")  # a folder to look at what was seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]
LONG_NAME = "积石山保安族东乡族撒拉族自治县"


@pytest.fixture
def world(monkeypatch):
    make_country()
    Region.objects.filter(code=A).update(name=LONG_NAME)
    factories.official(PROVINCE, username="gansu")
    monkeypatch.setattr(services, "_send_now", lambda job_id: None)


@pytest.fixture
def browser(world):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def do_the_work():
    """As a worker would, in a thread of its own: the browser's driver runs a loop in this one."""
    try:
        services.run(Job.objects.get().pk)
    finally:
        connection.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("width", [1280, 390])
def test_report_and_work_fit_and_finish(live_server, browser, width, language):
    page = browser.new_page(viewport={"width": width, "height": 844}, locale=language)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: message.type == "error" and faults.append(message.text))

    def see(name):
        page.wait_for_load_state("networkidle")
        if SHOTS:
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}-{language}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name

    page.goto(live_server.url + reverse("reports"))
    page.fill("[name=login]", "gansu")
    page.fill("[name=password]", "correct horse")
    page.press("[name=password]", "Enter")
    page.wait_for_url(live_server.url + reverse("reports"))
    see("overview")
    page.goto(f"{live_server.url}{reverse('county_report', args=[PROVINCE])}?period={PERIOD.code}")
    see("province")
    page.goto(f"{live_server.url}{reverse('county_report', args=[A])}?period={PERIOD.code}")
    see("county")
    if SHOTS:
        page.pdf(path=Path(SHOTS) / f"print-{width}-{language}.pdf", prefer_css_page_size=True)
    page.click("form[action$='/workbook/'] button")
    see("waiting")
    with ThreadPoolExecutor(1) as worker:
        worker.submit(do_the_work).result()
    page.wait_for_selector("a[href$='/file/']", timeout=10_000)
    see("done")
    with page.expect_download() as download:
        page.click("a[href$='/file/']")
    assert download.value.suggested_filename.endswith("-2026Q3.xlsx")
    page.goto(live_server.url + reverse("jobs"))
    see("jobs")
    assert faults == []

"""The desk in a real browser: it loads, keeps to its own host, raises no script error and fits a phone."""

import shutil

import pytest
from django.urls import reverse
from django.utils import timezone

from courses.models import Session, TrainingClass
from incubator.certification.models import Candidate
from incubator.metrics.models import QuarantinedReading
from incubator.metrics.services.alarms import check_freshness
from tests import factories
from tests.desk.world import make_world
from trainees.models import Trainee

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.mark.parametrize("width", [1400, 390])
def test_pages_stay_on_their_host_and_fit(live_server, width):
    from playwright.sync_api import sync_playwright

    staff = factories.superuser(username="root")
    world = make_world("622927", "甲")
    factories.reading(world[Candidate].account, factories.date(2026, 6, 1), 99_000)
    factories.CreatorAccountFactory(trainee=world[Trainee])
    check_freshness(at=timezone.now())
    urls = [
        reverse("admin:index"),
        reverse("metrics_coverage"),
        reverse("admin:trainees_trainee_changelist"),
        reverse("admin:trainees_trainee_change", args=[world[Trainee].pk]),
        reverse("admin:certification_candidate_change", args=[world[Candidate].pk]),
        reverse("admin:metrics_quarantinedreading_changelist"),
        reverse("admin:metrics_quarantinedreading_change", args=[world[QuarantinedReading].pk]),
        reverse("admin:courses_session_attendance", args=[world[Session].pk]),
        reverse("admin:courses_trainingclass_change", args=[world[TrainingClass].pk]),
        reverse("admin:accounts_user_change", args=[staff.pk]),
        reverse("admin:grants_grant_add"),
    ]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        foreign, faults = [], []
        page.on("request", lambda r: r.url.startswith((live_server.url, "data:", "blob:")) or foreign.append(r.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("response", lambda r: r.status >= 400 and "favicon.ico" not in r.url and faults.append(r.url))
        page.goto(live_server.url + urls[0])
        page.fill("[name=login]", "root")
        page.fill("[name=password]", "correct horse")
        page.press("[name=password]", "Enter")
        page.wait_for_url(live_server.url + urls[0])
        for url in urls:
            assert page.goto(live_server.url + url).status == 200
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), url
        icon = page.evaluate("document.fonts.check('18px \"Material Symbols Outlined\"')")
        browser.close()
    assert foreign == []
    assert faults == []
    assert icon

"""The pages of followers in a real browser: zoomed by keyboard and by hand, complete without its script."""

from datetime import datetime, time, timedelta

from django.urls import reverse
from django.utils import timezone

from courses.models import Attendance
from incubator.grants.models import Grant
from incubator.metrics.models import Correction, Crossing, LatestReading, QuarantinedReading, Reading
from tests import factories
from tests.browser.conftest import fits
from tests.factories import SHANGHAI, CreatorAccountFactory, graduate_row

TODAY = timezone.localdate()


def back(days):
    return TODAY - timedelta(days=days)


def a_busy_year():
    """An account of a graduate read for 400 days but for three weeks, with everything that can be marked."""
    staff = factories.superuser(username="root")
    participation = graduate_row(back(200))
    account = CreatorAccountFactory(trainee=participation.trainee)
    at = datetime.combine(TODAY, time(2), tzinfo=SHANGHAI)
    rows = [
        Reading(account=account, day=back(n), followers=round(40_000 + (400 - n) ** 1.9 + n % 7 * 150), fetched_at=at)
        for n in range(400, -1, -1)
        if not 60 < n < 81
    ]
    Reading.objects.bulk_create(rows)
    LatestReading.objects.create(account=account, day=TODAY, followers=rows[-1].followers, fetched_at=at)
    crossed = next(row for row in rows if row.followers >= 100_000)
    Crossing.objects.create(account=account, threshold=100_000, day=crossed.day, followers=crossed.followers)
    _held_and_corrected(account, at)
    pool = factories.TrafficPoolFactory()
    for n in (190, 150, 100, 62, 20, 5):
        Grant.objects.create(
            pool=pool, participation=participation, impressions=n * 1_000, state="approved", proposed_by=staff,
            proposed_on=back(n), approved_on=back(n),
        )  # fmt: skip
    for first in (350, 260, 215):
        training_class = factories.TrainingClassFactory(cohort=participation.cohort)
        for n in (first, first - 9):
            starts_at = datetime.combine(back(n), time(8), tzinfo=SHANGHAI)
            session = factories.SessionFactory(training_class=training_class, starts_at=starts_at)
            Attendance.objects.create(
                session=session, participation=participation, state="present", minutes=45, marked_by=staff
            )
    return account


def _held_and_corrected(account, at):
    QuarantinedReading.objects.create(
        account=account, day=back(33), followers=9, source="api", fetched_at=at, last_day=back(34),
        last_followers=100_000, why="drop",
    )  # fmt: skip
    Correction.objects.create(
        account=account, day=back(50), old_followers=91_000, new_followers=101_000, old_source="file",
        new_source="api", old_fetched_at=at, new_fetched_at=at,
    )  # fmt: skip


def url_of(live_server, account, span):
    page = reverse("admin:metrics_creatoraccount_change", args=[account.pk])
    return f"{live_server.url}{page}?span={span}"


def view(page):
    return [float(n) for n in page.get_attribute(".history-drawing", "viewBox").split()]


def test_a_chart_is_zoomed_and_read_by_keyboard(live_server, visit):
    account = a_busy_year()
    page = visit("root", width=1400)
    page.goto(url_of(live_server, account, 90))
    page.focus(".history-plot")

    page.keyboard.press("ArrowRight")
    newest = page.text_content(".history-read")
    page.keyboard.press("ArrowLeft")
    assert newest.startswith(str(TODAY)) and page.text_content(".history-read").startswith(str(back(1)))

    page.keyboard.press("+")
    page.keyboard.press("+")
    left, _top, width, height = view(page)
    assert width == 250 and height < 1000 and left > 700
    page.keyboard.press("Home")
    assert page.text_content(".history-read").startswith(str(back(89)))
    assert view(page)[0] == 0 and view(page)[2] == 250
    page.keyboard.press("-")
    assert view(page)[2] == 500
    page.keyboard.press("Escape")
    assert view(page) == [0, 0, 1000, 1000]


def test_a_chart_is_zoomed_by_dragging_and_by_its_buttons(live_server, visit, shoot):
    account = a_busy_year()
    page = visit("root", width=1400)
    page.goto(url_of(live_server, account, 365))
    page.evaluate("document.querySelector('.history-plot').scrollIntoView({block: 'center'})")
    box = page.locator(".history-plot").bounding_box()

    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 60, steps=5)
    page.mouse.up()
    left, _top, width, _height = view(page)
    assert 490 < left < 510 and 240 < width < 260
    assert page.text_content(".history-range").startswith(str(back(182))[:7])
    shoot(page, "account_zoomed")
    page.click("[data-zoom=all]")
    assert view(page)[2] == 1000


def test_an_accounts_page_fits_and_needs_not_the_charts_script(live_server, visit, shoot):
    account, empty = a_busy_year(), CreatorAccountFactory()
    for width in (1400, 390):
        page = visit("root", width=width)
        for span in (30, 90, "support", 365, "all"):
            page.goto(url_of(live_server, account, span))
            assert fits(page), span
            shoot(page, f"account_{span}_{width}")
        page.goto(url_of(live_server, empty, 90))
        assert fits(page)
        shoot(page, f"account_empty_{width}")

    page = visit("root", width=390)
    page.route("**/followers*.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
    page.goto(url_of(live_server, account, 90))
    page.click(".history-spans a[href*='365']")
    page.wait_for_url("**span=365**")
    assert page.locator(".history-line").count() == 2 and page.locator(".history-tools").is_hidden()
    page.click("details:has(.history-figures) summary")
    assert page.locator(".history-figures tbody tr").count() > 40


def three_cohorts():
    """Cohorts of 40, 25 and 12 people that grow at different pace, begun 300, 200 and 60 days ago."""
    at = datetime.combine(TODAY, time(2), tzinfo=SHANGHAI)
    for name, people, began, pace in (
        ("2025年第一期", 40, 300, 1.012),
        ("2026年第一期", 25, 200, 1.009),
        ("2026年夏季期", 12, 60, 1.02),
    ):
        cohort = factories.CohortFactory(name=name, starts_on=back(began + 40), ends_on=back(began - 300))
        for n in range(people):
            participation = graduate_row(back(began - n % 9), cohort=cohort)
            account = CreatorAccountFactory(trainee=participation.trainee)
            rows = [
                Reading(
                    account=account, day=back(d), followers=round((800 + n * 700) * pace ** (began - d)), fetched_at=at
                )
                for d in range(began + 5, -1, -3)
            ]
            Reading.objects.bulk_create(rows)
            LatestReading.objects.create(account=account, day=rows[-1].day, followers=rows[-1].followers, fetched_at=at)


def test_cohorts_fit_beside_each_other(live_server, visit, shoot):
    factories.superuser(username="root")
    page_url = live_server.url + reverse("admin:metrics_creatoraccount_cohorts")
    page = visit("root", width=1400)
    page.goto(page_url)
    shoot(page, "cohorts_empty_1400")
    three_cohorts()
    for width in (1400, 390):
        page = visit("root", width=width)
        page.goto(page_url)
        assert fits(page)
        assert page.locator("polyline.curve").count() == 3
        shoot(page, f"cohorts_{width}")
        page.goto(page_url + "?" + "&".join(f"cohort={pk}" for pk in page.evaluate(CHOSEN)) + "&show=index")
        shoot(page, f"cohorts_index_{width}")
    page.uncheck("input[name=cohort] >> nth=0")
    page.uncheck("input[name=cohort] >> nth=1")
    page.click("form.desk-section button")
    page.wait_for_selector("[role=alert]")
    shoot(page, "cohorts_error_390")


CHOSEN = "[...document.querySelectorAll('input[name=cohort]:checked')].map(box => box.value)"

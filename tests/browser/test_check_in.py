"""A session on a wall and in the hand: the screen keeps itself fresh, a scan is two taps, with a script or without."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from courses.check_in_codes import digits_at, token_at
from courses.models import Attendance, CheckIn, Enrolment, Lecturer
from courses.services import check_in, mark_attendance
from tests import factories
from tests.browser.conftest import fits
from tests.courses.world import enrolled, make_session

LONG = "县域直播电商运营与短视频内容策划实训"


def class_of_today(**kwargs):
    """A session that began five minutes ago, in a class with one of yesterday and one of tomorrow."""
    group = factories.TrainingClassFactory(name="2026年第一期农村青年主播集中培训班", place="积石山县职业技术学校")
    lecturer = Lecturer.objects.create(name="马晓燕", organisation="甘肃省电子商务协会")
    began = timezone.now() - timedelta(minutes=5)
    return [
        make_session(
            training_class=group,
            starts_at=began + timedelta(days=n),
            room="三楼直播间",
            lecturer=lecturer,
            course=factories.CourseFactory(title=LONG if n == 0 else f"短视频拍摄 {n + 2}"),
            **(kwargs if n == 0 else {}),
        )
        for n in (0, -1, 1)
    ]


def come(session, person):
    user = person.trainee.user
    return check_in(session, person, method="qr", device=user.username, at=timezone.now(), by=user)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_trainee_scans_and_taps_once(visit, shoot, live_server, scripts):
    factories.RuleFactory()
    session, yesterday, _tomorrow = class_of_today()
    person = enrolled(session, "T1")
    mark_attendance(yesterday, marks={person.pk: ("present", 90)}, by=factories.superuser())
    page = visit("T1", scripts=scripts)
    assert page.locator("a[href='/me/check-in/']").count() == 1
    shoot(page, "checkin-home-390")

    page.goto(live_server.url + f"/me/check-in/{session.pk}/{token_at(session, timezone.now())}/")
    button = page.locator("button.button-wide")
    assert button.bounding_box()["height"] >= 60 and button.bounding_box()["y"] < 700 and fits(page)
    shoot(page, "checkin-scan-390")
    button.click()
    page.wait_for_url(f"**/me/check-in/{session.pk}/")
    assert page.locator(".badge-good").count() == 1 and fits(page)
    shoot(page, "checkin-done-390")
    assert Attendance.objects.get(session=session).minutes == session.minutes

    page.goto(live_server.url + "/me/timetable/")
    assert page.locator("section.card .sessions > li").count() == 2
    page.locator("details summary").click()
    assert page.locator("details .sessions > li").count() == 1 and fits(page)
    shoot(page, f"checkin-timetable-390-{scripts}")
    page.set_viewport_size({"width": 1280, "height": 900})
    shoot(page, f"checkin-timetable-1280-{scripts}")


def test_a_trainee_types_the_code_and_checks_out(visit, shoot, live_server):
    session, *_others = class_of_today(asks_check_out=True)
    person = enrolled(session, "T1")
    page = visit("T1")
    page.goto(live_server.url + "/me/check-in/")
    shoot(page, "checkin-type-390")
    page.locator("input.code").press_sequentially("12")
    page.locator("button.button-wide").click()
    page.wait_for_url(f"**/me/check-in/{session.pk}/")
    assert page.locator(".notice-error").count() == 1 and not CheckIn.objects.exists()
    shoot(page, "checkin-wrong-390")

    page.locator("input.code").fill(digits_at(session, timezone.now()))
    page.locator("input.code").press("Enter")
    page.wait_for_selector("input[name=what][value=check_out]", state="attached")
    shoot(page, "checkin-out-390")
    page.set_viewport_size({"width": 1280, "height": 900})
    shoot(page, "checkin-out-1280")
    assert CheckIn.objects.get().participation == person and not Attendance.objects.exists()
    CheckIn.objects.update(came_at=session.starts_at)
    page.locator("input.code").fill(digits_at(session, timezone.now()))
    page.locator("button.button-wide").click()
    page.wait_for_selector(".badge-good")
    assert 5 <= Attendance.objects.get().minutes < 10


def test_somebody_who_waits_reads_the_place(visit, shoot, live_server):
    session, *_others = class_of_today()
    person = enrolled(session, "T1")
    Enrolment.objects.filter(participation=person).update(state="waiting")
    page = visit("T1")
    page.goto(live_server.url + "/me/timetable/")
    assert page.locator(".notice").count() == 1 and fits(page)
    shoot(page, "checkin-waiting-390")


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (390, True), (1280, False)])
def test_the_screen_keeps_itself_fresh(visit, shoot, live_server, width, scripts):
    session, *_others = class_of_today(asks_check_out=True)
    people = [enrolled(session, f"T{n}") for n in range(1, 13)]
    come(session, people[0])
    factories.superuser(username="root")
    page = visit("root", width=width, scripts=scripts)
    page.goto(live_server.url + reverse("session_check_in", args=[session.pk]))
    digits = page.locator(".code-digits")
    assert page.locator(".code-count strong").inner_text() == "1" and fits(page)
    now = timezone.now()
    slots = [digits_at(session, now - timedelta(seconds=s)) for s in (0, 30)]
    assert digits.inner_text().replace(" ", "") in slots
    assert digits.bounding_box()["height"] > 50
    picture = page.locator("svg.code-qr").bounding_box()
    assert picture["width"] > 300 and abs(picture["width"] - picture["height"]) < 2
    if width > 1000:
        assert picture["y"] + picture["height"] <= 844  # without scrolling
    shoot(page, f"checkin-screen-{width}-{scripts}")

    page.locator("#missing summary").click()
    come(session, people[1])
    page.wait_for_function("document.querySelector('.code-count strong').textContent === '2'", timeout=30_000)
    if scripts:
        assert page.locator("#missing[open] li").count() == 10  # what was open stays open
    shoot(page, f"checkin-screen-open-{width}-{scripts}")


def test_the_screen_says_when_its_code_may_be_over(visit, live_server):
    session, *_others = class_of_today()
    factories.superuser(username="root")
    page = visit("root", width=1280)
    page.clock.install()
    page.add_init_script("window.fetch = () => Promise.reject(new Error('the network is away'))")
    page.goto(live_server.url + reverse("session_check_in", args=[session.pk]))
    page.clock.run_for(30_000)
    assert page.locator("#stale").is_hidden()
    page.clock.run_for(30_000)
    page.wait_for_selector("#stale:not([hidden])")

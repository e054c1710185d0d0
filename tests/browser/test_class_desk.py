"""A class on the desk, on a phone and on a wide screen: its page, its sheet, its graduation."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse

from courses.models import Attendance, Graduation, Lecturer
from courses.services import enrol, mark_attendance
from tests import factories
from tests.browser.conftest import fits
from tests.factories import SHANGHAI

NAMES = ["马秀英", "王小明", "买买提·艾力", "李春花"]


@pytest.fixture
def training_class():
    staff = factories.superuser(username="root", display_name="张主任")
    county = factories.region("622927", "积石山县")
    lecturer = Lecturer.objects.create(name="韩老师", organisation="省农广校")
    found = factories.TrainingClassFactory(
        name="主播一班", region=county, place="县职教中心", capacity=4, head_teacher="马老师"
    )
    other = factories.TrainingClassFactory(name="主播二班", region=county, place="县职教中心")
    people = [
        factories.ParticipationFactory(
            cohort=found.cohort, state="admitted", trainee__name=name, trainee__county=county
        )
        for name in [*NAMES, "候补人"]
    ]
    enrol(people, training_class=found, by=staff, queue=True)
    course = factories.CourseFactory(title="短视频拍摄与剪辑")
    for day in range(3):
        starts_at = datetime(2026, 6, day + 1, 8, tzinfo=SHANGHAI)
        times = {
            "course": course,
            "starts_at": starts_at,
            "ends_at": starts_at + timedelta(hours=6),
            "lecturer": lecturer,
        }
        session = factories.SessionFactory(training_class=found, room="302", **times)
        marks = {p.pk: ("present", None) for p in people[: 4 if day == 0 else 3]}
        mark_attendance(session, marks=marks, by=staff)
    factories.SessionFactory(training_class=other, **times)
    return found


@pytest.mark.parametrize("width", [390, 1280])
def test_a_class_is_looked_at_marked_and_decided(visit, shoot, live_server, training_class, width):
    page = visit("root", width=width)
    page.goto(live_server.url + reverse("admin:courses_trainingclass_change", args=[training_class.pk]))
    page.get_by_text("主播二班").first.wait_for()
    shoot(page, f"class-{width}")
    assert fits(page)

    last = training_class.sessions.last()
    page.goto(live_server.url + reverse("admin:courses_session_attendance", args=[last.pk]))
    shoot(page, f"sheet-{width}")
    assert fits(page)
    absent = training_class.enrolments.get(participation__trainee__name="李春花").participation
    page.locator(f"label:has(input[name=state_{absent.pk}][value=absent])").click()
    page.locator("form button.desk-button-main").click()
    page.wait_for_url("**/session/**")
    assert Attendance.objects.get(session=last, participation=absent).state == "absent"

    page.goto(live_server.url + reverse("admin:courses_trainingclass_graduation", args=[training_class.pk]))
    shoot(page, f"decide-{width}")
    assert fits(page)
    page.locator(f"label:has(input[name=choice_{absent.pk}][value=otherwise])").click()
    page.fill(f"input[name=reason_{absent.pk}]", "已在线上补课")
    page.locator("button.desk-button-main", has_text="").last.click()
    page.wait_for_load_state()
    shoot(page, f"decided-{width}")
    assert Graduation.objects.count() == 4
    assert Graduation.objects.get(is_override=True).reason == "已在线上补课"

    for name, row in (
        ("cohort", training_class.cohort),
        ("graduation", Graduation.objects.get(is_override=True)),
        ("participation", absent),
        ("course", last.version.course),
    ):
        opts = row._meta
        url = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
        page.goto(live_server.url + url)
        shoot(page, f"{name}-{width}")
        assert fits(page), name

"""The whole course of one class on phones: timetable, check-in, correction, assessment, graduation, and why not yet."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from courses.check_in_codes import token_at
from courses.models import Attendance, Graduation, GraduationQuestion
from courses.services import add_assessment, mark_attendance
from tests import factories
from tests.browser.conftest import fits
from tests.courses.world import enrolled, make_session
from tests.world import trainee_with_login

MINUTES = 240  # three such sessions are exactly 3 days and 16.0 professional hours
HERE, AWAY = "马小燕", "杨文军"


def test_from_the_timetable_to_a_graduation_and_a_question_about_it(visit, shoot, live_server):
    factories.RuleFactory()
    began = timezone.now() - timedelta(minutes=5)
    group = factories.TrainingClassFactory(name="2026年第一期青年主播集中培训班")
    sessions = [
        make_session(training_class=group, starts_at=began - timedelta(days=back), minutes=MINUTES)
        for back in (2, 1, 0)
    ]
    here = enrolled(sessions[0], trainee=trainee_with_login("T1", name=HERE))
    away = enrolled(sessions[0], trainee=trainee_with_login("T2", name=AWAY))
    root = factories.superuser(username="root")
    for session in sessions[:2]:
        mark_attendance(session, marks={p.pk: ("present", None) for p in (here, away)}, by=root)
    exam = add_assessment(group, by=root, title="结业作品")
    trainee, desk = visit("T1"), visit("root")

    def go(page, address, picture):
        page.goto(live_server.url + address)
        assert fits(page)
        shoot(page, f"course-{picture}-390")
        return page.inner_text("main") if page is trainee else page.inner_text("body")

    # Timetable and check-in
    go(trainee, reverse("timetable"), "1-timetable")
    assert trainee.locator("section.card .sessions > li").count() == 1
    trainee.goto(live_server.url + f"/me/check-in/{sessions[2].pk}/{token_at(sessions[2], timezone.now())}/")
    trainee.locator("button.button-wide").click()
    trainee.wait_for_selector(".badge-good")
    shoot(trainee, "course-2-checked-in-390")
    assert Attendance.objects.get(session=sessions[2], participation=here).minutes == MINUTES

    # A correction: who went home at noon has 3.3 hours less, and the reason is asked for
    sheet = reverse("admin:courses_session_attendance", args=[sessions[1].pk])
    go(desk, sheet, "3-sheet")
    desk.fill(f"[name=minutes_{here.pk}]", "90")
    desk.locator(".desk-sheet-foot button").click()
    desk.wait_for_load_state()
    assert Attendance.objects.get(session=sessions[1], participation=here).minutes == MINUTES
    desk.fill(f"[name=minutes_{here.pk}]", "90")
    desk.fill("[name=reason]", "中午离开，核对签到表")
    desk.locator(".desk-sheet-foot button").click()
    desk.wait_for_url("**/courses/session/**")
    assert Attendance.objects.get(session=sessions[1], participation=here).minutes == 90
    text = go(trainee, reverse("training"), "4-why-not")
    assert "还差 3.4 个专业课学时" in text and "还有 1 项考核未合格" in text

    # Corrected back, and examined: failed, then passed at the second attempt
    mark_attendance(sessions[1], marks={here.pk: ("present", MINUTES)}, by=root, reason="签到表核对有误")
    for number, marks in ((1, "59.5"), (2, "60")):
        go(desk, reverse("admin:courses_assessment_marks", args=[exam.pk]) + f"?number={number}", f"5-marks-{number}")
        desk.fill(f"[name=marks_{here.pk}]", marks)
        desk.locator(".desk-sheet-foot button").click()
        desk.wait_for_url(f"**/courses/assessment/{exam.pk}/change/")
        text = go(trainee, reverse("training"), f"6-marked-{number}")
        assert ("还有 1 项考核未合格" in text) == (number == 1)

    # Graduation: one proposed, one not yet
    text = go(desk, reverse("admin:courses_trainingclass_graduation", args=[group.pk]), "7-proposals")
    assert HERE in text and AWAY in text and "还差 1 天培训" in text
    desk.locator(".desk-sheet-foot button").click()
    desk.wait_for_load_state()
    assert [g.participation for g in Graduation.objects.all()] == [here]
    shoot(desk, "course-8-decided-390")
    assert "结业" in go(trainee, reverse("training"), "9-graduated")
    other = visit("T2")
    other.goto(live_server.url + reverse("training"))
    assert "还差 1 天培训" in other.inner_text("main") and "还差 5.4 个专业课学时" in other.inner_text("main")
    shoot(other, "course-10-other-why-not-390")

    # A correction afterwards asks, and changes nothing
    mark_attendance(sessions[2], marks={here.pk: ("absent", None)}, by=root, reason="代签")
    text = go(desk, reverse("admin:courses_graduationquestion_changelist"), "11-question")
    assert HERE in text
    assert GraduationQuestion.objects.open().get().graduation.participation == here
    here.refresh_from_db()
    assert here.state == "graduated"

"""The trainee's phone: what is missing, a work handed in, an appeal, the form after a class; and the sheet of marks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from courses.models import Attempt, SatisfactionAnswer
from courses.services import add_assessment, enrol, mark_attendance, record_marks
from incubator.programmes.services import admit
from tests import factories
from tests.browser.conftest import fits
from tests.world import trainee_with_login


def in_class(staff, people=1):
    """A class that ended, with a work to hand in and an examination that was marked too low."""
    training_class = factories.TrainingClassFactory(name="第一期短视频培训班", head_teacher="陈立新")
    rows = [
        factories.ParticipationFactory(
            trainee=trainee_with_login(f"T{n}", name=f"马小{n}"), cohort=training_class.cohort
        )
        for n in range(1, people + 1)
    ]
    admit(rows, by=staff)
    enrol(rows, training_class=training_class, by=staff)
    for n, title in enumerate(("短视频选题与脚本", "手机拍摄与剪辑")):
        starts_at = timezone.now() - timedelta(days=4 - n)
        session = factories.SessionFactory(
            training_class=training_class,
            course=factories.CourseFactory(title=title),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=240),
        )
        mark_attendance(session, marks={p.pk: ("present", 240 - 60 * n) for p in rows}, by=staff)
    work = add_assessment(
        training_class, by=staff, title="结业作品", kind="work", due_at=timezone.now() + timedelta(days=2)
    )
    written = add_assessment(training_class, by=staff, title="理论考核")
    record_marks(written, marks={p.pk: "58.5" for p in rows}, by=staff)
    return training_class, work, written


@pytest.mark.parametrize("scripts", [True, False])
def test_a_trainee_reads_hands_in_appeals_and_answers(visit, shoot, scripts):
    in_class(factories.superuser())
    page = visit("T1", scripts=scripts)
    page.locator("main a[href='/me/training/']").click()
    name = f"training-390-{'with' if scripts else 'without'}-scripts"
    shoot(page, name)
    assert scripts is False or fits(page)

    page.fill("input[name=link]", "https://www.kuaishou.com/short-video/3xabc")
    page.locator("form[action*='/work/'] button").click()
    page.locator("details:has(textarea) summary").click()
    page.fill("textarea[name=reason]", "第三题请复核")
    page.locator("form[action*='/appeal/'] button").click()
    shoot(page, f"{name}-done")
    page.locator("a[href*='satisfaction']").click()
    shoot(page, f"{name}-form")
    assert scripts is False or fits(page)
    for question in ("teaching", "content", "organisation", "usefulness"):
        page.locator(f"input[name={question}][value='5']").check()
    page.fill("textarea[name=remark]", "讲得好")
    page.locator("main form button").click()
    shoot(page, f"{name}-thanks")

    assert set(Attempt.objects.values_list("link", "appeal_reason")) == {
        ("https://www.kuaishou.com/short-video/3xabc", ""),
        ("", "第三题请复核"),
    }
    assert SatisfactionAnswer.objects.get().remark == "讲得好"
    assert page.locator("main h1").count() == 1 and page.locator("main form").count() == 0


@pytest.mark.parametrize("width", [390, 1280])
def test_a_class_is_marked_on_a_phone(visit, shoot, width):
    staff = factories.superuser(username="root")
    training_class, work, _written = in_class(staff, people=4)
    page = visit("root", width=width)
    base = page.url.split("/admin")[0]
    page.goto(f"{base}/admin/courses/assessment/{work.pk}/marks/")
    fields = page.locator("input[name^=marks_]")
    for n, marks in enumerate(("70", "59.5", "100", "")):
        fields.nth(n).fill(marks)
    shoot(page, f"marks-{width}")
    assert fits(page)
    page.locator(".desk-sheet-foot button").click()
    page.wait_for_url(f"**/assessment/{work.pk}/change/")
    shoot(page, f"assessment-{width}")
    page.goto(f"{base}/admin/courses/trainingclass/{training_class.pk}/change/")
    shoot(page, f"class-{width}")
    assert Attempt.objects.filter(assessment=work).count() == 3

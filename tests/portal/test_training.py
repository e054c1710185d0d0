"""My training: hours, what is missing, works, appeals, and the form after a class."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from courses.models import Attempt, Enrolment, GraduationRule, SatisfactionAnswer, SatisfactionTicket
from courses.queries import training_standings
from courses.services import add_assessment, enrol, mark_attendance, record_marks
from incubator.portal.training import training_of
from incubator.programmes.models import Participation
from incubator.programmes.services import admit
from tests import factories
from tests.factories import SHANGHAI
from tests.world import trainee_with_login

PAGE = "/me/training/"
LINK = "https://www.kuaishou.com/short-video/3xabc"
LARGEST = 100 * 1024  # bytes of a page on a weak network

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.superuser()


def in_class(username, staff, *, sessions=1, minutes=240, first=None):
    """Somebody in a class of that many sessions, a day each, from ``first`` on (else over since yesterday)."""
    first = first or timezone.now() - timedelta(days=sessions + 1)
    person = factories.ParticipationFactory(trainee=trainee_with_login(username))
    admit([person], by=staff)
    training_class = factories.TrainingClassFactory(cohort=person.cohort)
    enrol([person], training_class=training_class, by=staff)
    course = factories.CourseFactory(title="手机拍摄与剪辑")
    for n in range(sessions):
        starts_at = first + timedelta(days=n)
        session = factories.SessionFactory(
            training_class=training_class,
            course=course,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=minutes),
        )
        if starts_at < timezone.now():
            mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    person.refresh_from_db()
    return person, training_class


def read(client, person, **kwargs):
    client.force_login(person.trainee.user)
    answer = client.get(PAGE, **kwargs)
    assert answer.status_code == 200
    return answer.content.decode()


# What is missing


def test_the_page_says_the_very_sentences_that_staff_read(client, staff):
    person, training_class = in_class("T1", staff)
    add_assessment(training_class, by=staff, title="结业考核")
    GraduationRule.objects.filter(cohort=person.cohort).update(min_visit_hours=2, min_hours=20)

    page = read(client, person)

    reasons = training_standings([person])[person.pk].reasons()
    assert {reason.code for reason in reasons} == {"days", "professional_hours", "visit_hours", "hours", "assessments"}
    for reason in reasons:
        assert reason.sentence in page
        if reason.code.endswith("hours"):
            assert str(reason.have) in page and str(reason.missing) in page


def test_share_of_attendance_is_a_reason_with_its_amounts(client, staff):
    person, training_class = in_class("T1", staff, sessions=3)
    GraduationRule.objects.filter(cohort=person.cohort).update(min_attendance_percent=80)
    starts_at = timezone.now() + timedelta(days=2)
    factories.SessionFactory(
        training_class=training_class, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=240)
    )

    page = read(client, person)

    [missing] = training_of(person.trainee, at=timezone.now())[0].missing
    assert (missing.reason.code, missing.reason.have, missing.reason.need) == ("attendance", 75, 80)
    assert missing.reason.sentence in page and missing.amounts in page


def test_nothing_missing_and_graduated_are_said(client, staff):
    person, _class = in_class("T1", staff, sessions=3)
    part = training_of(person.trainee, at=timezone.now())[0]
    assert part.missing == [] and part.is_in_training
    assert read(client, person)

    graduate = factories.graduate_row(trainee=trainee_with_login("T2"))
    [part] = training_of(graduate.trainee, at=timezone.now())
    assert not part.is_in_training  # what the rule would say of a graduate is nobody's business
    assert "2026" in read(client, graduate)


def test_hours_are_told_by_kind_with_what_counts(client, staff):
    person, _class = in_class("T1", staff, sessions=2)
    general = factories.TrainingClassFactory(cohort=person.cohort, kind="practice")
    enrol([person], training_class=general, by=staff)
    for n in (1, 2):
        starts_at = timezone.now() - timedelta(days=30 + n)
        session = factories.SessionFactory(
            training_class=general,
            course=factories.CourseFactory(kind="general"),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=225),
        )
        mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)

    [part] = training_of(person.trainee, at=timezone.now())

    told = [(str(kind.hours), str(kind.counted), kind.cap) for kind in part.kinds[:2]]
    assert told == [("10.0", "8.0", 8), ("10.6", "10.6", None)]
    assert len(part.classes) == 2


def test_the_next_session_is_told(client, staff):
    person, _class = in_class("T1", staff, sessions=3, first=timezone.now() - timedelta(days=1, hours=1))

    [part] = training_of(person.trainee, at=timezone.now())

    assert part.next_session is not None and part.next_session.starts_at > timezone.now()
    assert part.next_session.starts_at < timezone.now() + timedelta(days=1)


# Works and appeals


@pytest.fixture
def work(staff):
    person, training_class = in_class("T1", staff)
    return person, add_assessment(training_class, by=staff, title="短视频作品", kind="work")


def test_a_work_is_handed_in_and_replaced(client, work):
    person, assessment = work
    client.force_login(person.trainee.user)
    for link in (LINK, LINK + "2"):
        answer = client.post(f"{PAGE}work/{assessment.pk}/", {"link": link}, follow=True)
        assert answer.redirect_chain and link in answer.content.decode()
    assert Attempt.objects.get().link == LINK + "2"


def test_a_link_that_is_none_is_told_and_kept_on_the_page(client, work):
    person, assessment = work
    client.force_login(person.trainee.user)
    page = client.post(f"{PAGE}work/{assessment.pk}/", {"link": "我的<视频>"}).content.decode()
    assert "notice-error" in page and "我的&lt;视频&gt;" in page and "https://" in page
    assert not Attempt.objects.exists()


def test_marks_are_shown_and_appealed_against_once(client, work, staff):
    person, assessment = work
    record_marks(assessment, marks={person.pk: "48.5"}, by=staff)
    attempt = Attempt.objects.get()
    assert "48.5" in read(client, person)
    url = f"{PAGE}appeal/{attempt.pk}/"

    assert "notice-error" in client.post(url, {"reason": " "}).content.decode()
    assert client.post(url, {"reason": "画面清楚，请复核"}).status_code == 302
    assert "notice-error" in client.post(url, {"reason": "再来一次"}).content.decode()

    attempt.refresh_from_db()
    assert attempt.appeal_reason == "画面清楚，请复核"
    assert url not in read(client, person)


def test_the_appeal_is_offered_until_its_last_day(client, work, staff):
    person, assessment = work
    at = datetime(2026, 6, 10, 12, tzinfo=SHANGHAI)
    record_marks(assessment, marks={person.pk: 40}, by=staff, at=at)
    for day, is_offered in ((17, True), (18, False)):
        with time_machine.travel(datetime(2026, 6, day, 9, tzinfo=SHANGHAI), tick=False):
            assert ("/appeal/" in read(client, person)) == is_offered


def test_a_character_that_no_text_may_have_breaks_nothing(client, work, staff):
    person, assessment = work
    client.force_login(person.trainee.user)
    assert client.post(f"{PAGE}work/{assessment.pk}/", {"link": LINK + "\x00"}).status_code == 302
    record_marks(assessment, marks={person.pk: 40}, by=staff)
    assert client.post(f"{PAGE}appeal/{Attempt.objects.get().pk}/", {"reason": "请\x00复核"}).status_code == 302
    assert (Attempt.objects.get().link, Attempt.objects.get().appeal_reason) == (LINK, "请复核")


def test_home_leads_to_the_training(client, staff):
    person, _class = in_class("T1", staff)
    client.force_login(person.trainee.user)
    assert f'href="{PAGE}"' in client.get("/me/").content.decode()


# A stranger's things


def test_what_is_a_strangers_is_not_there(client, work, staff):
    person, assessment = work
    record_marks(assessment, marks={person.pk: 40}, by=staff)
    enrolment, attempt = Enrolment.objects.get(), Attempt.objects.get()
    other, _class = in_class("T2", staff)
    urls = [
        f"{PAGE}work/{assessment.pk}/",
        f"{PAGE}appeal/{attempt.pk}/",
        f"{PAGE}satisfaction/{enrolment.pk}/",
    ]
    for stranger in (other.trainee.user, staff, factories.official("622927"), factories.UserFactory()):
        client.force_login(stranger)
        for url in urls:
            assert client.post(url, {"link": LINK, "reason": "x"}).status_code == 404
        assert client.get(urls[2]).status_code == 404
    client.force_login(other.trainee.user)
    assert "短视频作品" not in client.get(PAGE).content.decode()
    attempt.refresh_from_db()
    assert not attempt.link and attempt.appealed_at is None and not SatisfactionTicket.objects.exists()


def test_the_page_is_for_trainees(client, staff):
    for user in (staff, factories.official("622927"), factories.UserFactory()):
        client.force_login(user)
        assert client.get(PAGE).status_code == 404


def test_looking_at_what_is_done_by_posting_is_refused(client, work, staff):
    person, assessment = work
    record_marks(assessment, marks={person.pk: 40}, by=staff)
    client.force_login(person.trainee.user)
    assert client.get(f"{PAGE}work/{assessment.pk}/").status_code == 405
    assert client.get(f"{PAGE}appeal/{Attempt.objects.get().pk}/").status_code == 405


# The form after a class

GOOD = {"teaching": 5, "content": 4, "organisation": 3, "usefulness": 5}


def test_the_form_is_filled_in_once_and_thanks(client, staff):
    person, training_class = in_class("T1", staff)
    enrolment, course = Enrolment.objects.get(), training_class.sessions.get().version.course
    url = f"{PAGE}satisfaction/{enrolment.pk}/"
    assert url in read(client, person)

    page = client.post(url, {"teaching": 5}).content.decode()  # three are missing
    assert page.count("errorlist") == 3 and not SatisfactionAnswer.objects.exists()
    thanks = client.post(url, GOOD | {f"course_{course.pk}": 2, "remark": "多些实操"}, follow=True).content.decode()
    client.post(url, dict.fromkeys(GOOD, 1))

    answer = SatisfactionAnswer.objects.get()
    assert (answer.teaching, answer.content, answer.remark) == (5, 4, "多些实操")
    assert answer.courses.get().score == 2
    assert '<form method="post" class="card"' not in thanks
    assert url not in read(client, person)


def test_the_form_is_not_there_before_the_class_is_over(client, staff):
    person, _class = in_class("T1", staff, sessions=2, first=timezone.now() - timedelta(days=1))
    url = f"{PAGE}satisfaction/{Enrolment.objects.get().pk}/"
    assert url not in read(client, person)
    assert "notice-error" in client.post(url, GOOD).content.decode()
    assert not SatisfactionTicket.objects.exists()


# What it costs


def test_queries_and_bytes_stay_small(client, staff):
    used = []
    for n, sessions in enumerate((1, 30)):
        person, training_class = in_class(f"T{n}", staff, sessions=sessions)
        for number in range(sessions // 5 + 1):
            assessment = add_assessment(training_class, by=staff, title=f"作品{number}", kind="work", most_attempts=3)
            record_marks(assessment, marks={person.pk: 40}, by=staff)
        client.force_login(person.trainee.user)
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(PAGE)
        used.append(len(captured))
    assert used[0] == used[1] <= 16
    assert len(answer.content) < LARGEST
    assert "<script" not in answer.content.decode()


def test_queries_do_not_grow_with_participations(staff):
    trainee = trainee_with_login("T1")
    used = []
    for _n in range(3):
        person = factories.ParticipationFactory(trainee=trainee, state="training")
        training_class = factories.TrainingClassFactory(cohort=person.cohort)
        Enrolment.objects.create(training_class=training_class, participation=person)
        with CaptureQueriesContext(connection) as captured:
            parts = training_of(trainee, at=timezone.now())
        used.append(len(captured))
    assert len(parts) == Participation.objects.count() == 3
    assert len(set(used)) == 1 and used[0] <= 8

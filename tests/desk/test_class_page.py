"""The page of a class: what is due, its timetable and clashes, its people and queue; and what is done from there."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from courses.models import Assessment, Attendance, Enrolment, Lecturer, Session, TrainingClass
from courses.services import enrol, leave_class, mark_attendance
from tests import factories
from tests.desk.test_moves import act, change_page, move, said
from tests.factories import SHANGHAI

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english(client):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    with override("en"):
        yield


@pytest.fixture
def staff(client):
    user = factories.superuser()
    client.force_login(user)
    return user


def admitted(training_class, **kwargs):
    return factories.ParticipationFactory(cohort=training_class.cohort, state="admitted", **kwargs)


def in_class(training_class, count, by):
    people = [admitted(training_class) for _ in range(count)]
    enrol(people, training_class=training_class, by=by)
    return people


def sections(response):
    return {str(section.title): str(section.html) for section in response.context["sections"]}


def part(response, beginning):
    return next((html for title, html in sections(response).items() if title.startswith(beginning)), None)


def test_sessions_over_and_not_closed_are_due_until_they_are_closed(staff, client):
    session = factories.SessionFactory()
    [person, _other] = in_class(session.training_class, 2, staff)
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    due = part(change_page(client, session.training_class), "What is due next")
    assert reverse("admin:courses_session_attendance", args=[session.pk]) in due
    assert "1 of 2 marked" in due
    move(client, session, "close")
    session.refresh_from_db()
    assert session.closed_by == staff
    assert Attendance.objects.get(session=session, state="absent").method == "closing"
    due = part(change_page(client, session.training_class), "What is due next")
    assert reverse("admin:courses_session_attendance", args=[session.pk]) not in due


def test_session_to_come_is_neither_due_nor_closed(staff, client):
    begins = timezone.now() + timedelta(days=1)
    session = factories.SessionFactory(starts_at=begins, ends_at=begins + timedelta(hours=1))
    assert "not closed" not in part(change_page(client, session.training_class), "What is due next")
    assert "/move/close/" not in change_page(client, session).content.decode()
    move(client, session, "close")
    session.refresh_from_db()
    assert session.closed_at is None


def test_list_of_sessions_shows_those_over_and_not_closed(staff, client):
    due = factories.SessionFactory()
    factories.SessionFactory(closed_at=timezone.now())
    begins = timezone.now() + timedelta(days=1)
    factories.SessionFactory(starts_at=begins, ends_at=begins + timedelta(hours=1))
    url = reverse("admin:courses_session_changelist")
    assert list(client.get(url, {"closing": "due"}).context["cl"].queryset) == [due]


def test_assessments_forms_and_people_ready_are_due(staff, client):
    session = factories.SessionFactory()
    training_class = session.training_class
    training_class.cohort.graduation_rules.update(min_days=1, min_professional_hours=8)
    [first, second] = in_class(training_class, 2, staff)
    exam = Assessment.objects.create(training_class=training_class, title="结业考试")
    Assessment.objects.create(training_class=training_class, title="自愿作业", is_required=False)
    exam.attempts.create(participation=first, marks=70, marked_by=staff, marked_at=timezone.now())
    mark_attendance(session, marks={first.pk: ("present", None)}, by=staff)
    due = part(change_page(client, training_class), "What is due next")
    assert "结业考试" in due
    assert "1 person without marks" in due
    assert "自愿作业" not in due
    assert "0 of 2 filled in" in due
    assert "1 people are ready" in due
    exam.attempts.create(participation=second, marks=0, marked_by=staff, marked_at=timezone.now())
    assert "结业考试" not in part(change_page(client, training_class), "What is due next")


def test_people_show_what_counts_and_what_is_missing_and_the_queue_its_order(staff, client):
    session = factories.SessionFactory()
    training_class = session.training_class
    TrainingClass.objects.filter(pk=training_class.pk).update(capacity=1)
    people = [admitted(training_class) for _ in range(3)]
    enrol(people, training_class=training_class, by=staff, queue=True)
    mark_attendance(session, marks={people[0].pk: ("present", None)}, by=staff)
    response = change_page(client, training_class)
    found = part(response, "People in this class (1 of 1)")
    assert "8.0" in found
    assert "2 more days of training" in found
    assert people[1].trainee.name not in found
    waiting = part(response, "Waiting list (2)")
    assert waiting.index(people[1].trainee.name) < waiting.index(people[2].trainee.name)


def test_who_leaves_says_why_and_the_next_one_moves_up(staff, client):
    training_class = factories.TrainingClassFactory(capacity=1)
    people = [admitted(training_class) for _ in range(2)]
    chosen = {"training_class": training_class.pk, "confirmed": "1"}
    act(client, type(people[0]), "enrol", people, **chosen)
    assert not Enrolment.objects.exists()  # one place for two
    act(client, type(people[0]), "enrol", people, queue="on", **chosen)
    first, second = Enrolment.objects.order_by("pk")
    assert (first.state, second.state) == ("enrolled", "waiting")
    asked = move(client, first, "leave", reason=" ")
    assert asked.context["form"].errors["reason"]
    move(client, first, "leave", reason="工作调动")
    assert list(Enrolment.objects.order_by("pk").values_list("state", flat=True)) == ["left", "enrolled"]
    assert "工作调动" in change_page(client, first).content.decode()


def test_place_is_given_by_hand_when_a_class_grew(staff, client):
    training_class = factories.TrainingClassFactory(capacity=1)
    people = [admitted(training_class) for _ in range(2)]
    enrol(people, training_class=training_class, by=staff, queue=True)
    TrainingClass.objects.filter(pk=training_class.pk).update(capacity=2)
    assert "1 can move up" in part(change_page(client, training_class), "What is due next")
    move(client, Enrolment.objects.get(participation=people[1]), "give_place")
    assert Enrolment.objects.get(participation=people[1]).state == "enrolled"


def test_somebody_is_moved_to_another_class(staff, client):
    session = factories.SessionFactory()
    [person] = in_class(session.training_class, 1, staff)
    mark_attendance(session, marks={person.pk: ("present", None)}, by=staff)
    other = factories.TrainingClassFactory(cohort=session.training_class.cohort)
    move(client, Enrolment.objects.get(), "transfer", training_class=other.pk, reason="离家近")
    assert dict(Enrolment.objects.values_list("training_class", "state")) == {
        session.training_class.pk: "left",
        other.pk: "enrolled",
    }
    assert "8.0" in part(change_page(client, other), "People in this class")


def test_clash_names_ones_own_class_and_no_strangers(client):
    lecturer = Lecturer.objects.create(name="马老师")
    times = {
        "starts_at": datetime(2026, 6, 1, 8, tzinfo=SHANGHAI),
        "ends_at": datetime(2026, 6, 1, 10, tzinfo=SHANGHAI),
        "lecturer": lecturer,
    }
    own = factories.TrainingClassFactory(region=factories.region("622927"))
    factories.SessionFactory(training_class=own, **times)
    factories.SessionFactory(
        training_class=factories.TrainingClassFactory(name="外县班", region=factories.region("520526")), **times
    )
    from tests.desk.world import county_staff

    client.force_login(county_staff("622927"))
    clash = part(change_page(client, own), "Clashes")
    assert "马老师" in clash
    assert "another class" in clash
    assert "外县班" not in clash
    client.force_login(factories.superuser())
    assert "外县班" in part(change_page(client, own), "Clashes")


# The timetable on the page


def timetable(training_class, *rows, **fields):
    """What the form posts: the class as it is, and these sessions."""
    data = {
        "cohort": training_class.cohort_id,
        "name": training_class.name,
        "kind": training_class.kind,
        "level": training_class.level,
        "region": training_class.region_id,
        "capacity": training_class.capacity,
        "sessions-TOTAL_FORMS": len(rows),
        "sessions-INITIAL_FORMS": sum("id" in row for row in rows),
    } | fields
    for number, row in enumerate(rows):
        data |= {f"sessions-{number}-{name}": value for name, value in row.items()}
        data[f"sessions-{number}-training_class"] = training_class.pk
    return data


def row(version, day, begins, ends, until=None, **more):
    return {
        "version": version.pk,
        "starts_at_0": day,
        "starts_at_1": begins,
        "ends_at_0": until or day,
        "ends_at_1": ends,
        **more,
    }


def save(client, training_class, *rows, **fields):
    url = reverse("admin:courses_trainingclass_change", args=[training_class.pk])
    return client.post(url, timetable(training_class, *rows, **fields))


def test_timetable_is_entered_on_the_page(staff, client):
    training_class, version = factories.TrainingClassFactory(), factories.CourseFactory().current
    rows = [row(version, "2026-06-01", "08:00", "09:30", room="302"), row(version, "2026-06-01", "10:00", "11:30")]
    response = save(client, training_class, *rows, head_teacher="马老师", starts_on="2026-06-01")
    assert response.status_code == 302
    assert list(training_class.sessions.values_list("room", flat=True)) == ["302", ""]
    training_class.refresh_from_db()
    assert training_class.head_teacher == "马老师"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([("2026-06-01", "08:00", "10:00"), ("2026-06-01", "09:00", "11:00")], "at the same time"),
        ([("2026-06-01", "22:00", "02:00", "2026-06-02")], "second day"),
        ([("2026-06-01", "08:00", "09:00", "2026-06-02")], "24 hours"),
    ],
)
def test_bad_timetable_comes_back_filled_with_the_sentence(staff, client, rows, says):
    training_class, version = factories.TrainingClassFactory(), factories.CourseFactory().current
    response = save(client, training_class, *[row(version, *cells) for cells in rows], name="改名")
    assert response.status_code == 200
    assert says in response.content.decode()
    assert not Session.objects.exists()
    training_class.refresh_from_db()
    assert training_class.name != "改名"


def test_session_is_taken_out_on_the_page_unless_marked(staff, client):
    session = factories.SessionFactory()
    local = timezone.localtime(session.starts_at), timezone.localtime(session.ends_at)
    cells = row(session.version, local[0].date(), local[0].time(), local[1].time(), id=session.pk, DELETE="on")
    [person] = in_class(session.training_class, 1, staff)
    mark = Attendance.objects.create(session=session, participation=person, state="absent", minutes=0, marked_by=staff)
    assert save(client, session.training_class, cells).status_code == 200
    assert Session.objects.exists()
    mark.delete()
    assert save(client, session.training_class, cells).status_code == 302
    assert not Session.objects.exists()


def test_institution_of_the_province_stays_chosen_when_a_county_edits_its_class(client):
    from courses.models import TrainingInstitution
    from tests.desk.world import county_staff

    school = TrainingInstitution.objects.create(name="省院", region=factories.region("620000", level="province"))
    other = TrainingInstitution.objects.create(name="外院", region=factories.region("520526"))
    training_class = factories.TrainingClassFactory(region=factories.region("622927"), institution=school)
    client.force_login(county_staff("622927"))
    assert save(client, training_class, institution=school.pk, place="新址").status_code == 302
    training_class.refresh_from_db()
    assert (training_class.institution, training_class.place) == (school, "新址")
    assert save(client, training_class, institution=other.pk).status_code == 200


# Constant numbers of queries


def filled(staff, people, sessions):
    training_class = factories.TrainingClassFactory(capacity=people)
    enrol([admitted(training_class) for _ in range(people + 2)], training_class=training_class, by=staff, queue=True)
    leave_class(training_class.enrolments.enrolled().first(), by=staff, reason="x")
    lecturer = Lecturer.objects.create(name="马老师")
    other = factories.TrainingClassFactory()
    begins = datetime(2026, 6, 1, 8, tzinfo=SHANGHAI)
    for number in range(sessions):
        times = {
            "starts_at": begins + timedelta(hours=number),
            "ends_at": begins + timedelta(hours=number + 1),
            "lecturer": lecturer,
        }
        for of in (training_class, other):
            session = factories.SessionFactory(training_class=of, **times)
        Assessment.objects.create(training_class=training_class, title=f"考试{number}")
    marks = dict.fromkeys(
        training_class.enrolments.enrolled().values_list("participation", flat=True), ("present", None)
    )
    first = training_class.sessions.first()
    mark_attendance(first, marks=marks, by=staff)
    return training_class, session


def test_class_page_and_sheet_cost_the_same_for_one_and_for_thirty(staff, client):
    counts = []
    for size in (1, 1, 30):
        training_class, _session = filled(staff, size, size)
        sheet = reverse("admin:courses_session_attendance", args=[training_class.sessions.first().pk])
        page = reverse("admin:courses_trainingclass_change", args=[training_class.pk])
        enrolment = training_class.enrolments.last()
        found = []
        for url in (page, sheet, reverse("admin:courses_enrolment_change", args=[enrolment.pk])):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            found.append(len(captured))
        counts.append(found)
    assert counts[1] == counts[2]


# The sheet and the marks


def test_sheet_shows_how_a_mark_was_made_and_leaves_others_unmarked(staff, client):
    session = factories.SessionFactory()
    first, second = in_class(session.training_class, 2, staff)
    url = reverse("admin:courses_session_attendance", args=[session.pk])
    fresh = client.get(url)
    assert fresh.content.decode().count("checked") == 2  # everybody present, on a sheet without a mark
    Attendance.objects.create(
        session=session, participation=first, state="present", minutes=300, method="qr", marked_by=staff
    )
    html = client.get(url).content.decode()
    assert "QR code scanned" in html
    assert "Not marked yet" in html
    assert html.count("checked") == 1
    client.post(url, {f"state_{first.pk}": "present", f"minutes_{first.pk}": "300"})
    assert list(session.attendances.values_list("participation", "method")) == [(first.pk, "qr")]
    client.post(url, {f"state_{second.pk}": "on_leave", f"state_{first.pk}": "present", f"minutes_{first.pk}": "300"})
    assert session.attendances.get(participation=second).state == "on_leave"


def test_page_of_a_mark_tells_its_corrections(staff, client):
    session = factories.SessionFactory()
    [person] = in_class(session.training_class, 1, staff)
    mark_attendance(session, marks={person.pk: ("absent", None)}, by=staff)
    mark_attendance(session, marks={person.pk: ("present", 100)}, by=factories.UserFactory(), reason="补签到表")
    html = change_page(client, Attendance.objects.get()).content.decode()
    for word in ("补签到表", "absent, 0", "present, 100", str(staff)):
        assert word in html


def test_message_of_a_refused_closing(staff, client):
    session = factories.SessionFactory(closed_at=timezone.now())
    assert "closed already" in said(move(client, session, "close"))[0]

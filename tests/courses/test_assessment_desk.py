"""The desk's pages of assessments: the sheet of a class, appeals, results of forms, and who sees them."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from courses.models import Assessment, Attempt, Enrolment, InstitutionPosting, MarksChange, TrainingInstitution
from courses.services import add_assessment, answer_form, appeal, enrol, record_marks
from incubator.accounts.choices import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff():
    return factories.superuser()


def class_of(staff, people, **kwargs):
    """A class that is over, and its people, who can log in."""
    training_class = factories.TrainingClassFactory(**kwargs)
    starts_at = timezone.now() - timedelta(days=3)
    session = factories.SessionFactory(
        training_class=training_class, starts_at=starts_at, ends_at=starts_at + timedelta(hours=2)
    )
    rows = [
        factories.ParticipationFactory(
            trainee=factories.TraineeFactory(user=factories.UserFactory(role=Role.TRAINEE)),
            cohort=training_class.cohort,
            state="admitted",
        )
        for _n in range(people)
    ]
    enrol(rows, training_class=training_class, by=staff)
    return training_class, rows, session


def sheet(assessment, number=1):
    url = reverse("admin:courses_assessment_marks", args=[assessment.pk])
    return f"{url}?number={number}"


def test_an_assessment_is_planned_from_the_page_of_its_class(client, staff):
    training_class, _people, _session = class_of(staff, 1)
    client.force_login(staff)
    page = client.get(reverse("admin:courses_trainingclass_change", args=[training_class.pk])).content.decode()
    url = f"{reverse('admin:courses_assessment_add')}?training_class={training_class.pk}"
    assert url.replace("&", "&amp;") in page

    data = {
        "training_class": training_class.pk,
        "title": "结业考核",
        "kind": "written",
        "full_marks": 100,
        "pass_marks": 101,
        "most_attempts": 2,
        "is_required": "on",
    }
    assert client.post(url, data).status_code == 200 and not Assessment.objects.exists()
    assert client.post(url, data | {"pass_marks": 60}).status_code == 302
    assessment = Assessment.objects.get()
    assert (assessment.training_class, assessment.pass_marks, assessment.is_required) == (training_class, 60, True)


def test_after_the_first_mark_the_form_offers_only_what_may_change(client, staff):
    training_class, [person], _session = class_of(staff, 1)
    assessment = add_assessment(training_class, by=staff, title="考核")
    client.force_login(staff)
    url = reverse("admin:courses_assessment_change", args=[assessment.pk])
    assert 'name="pass_marks"' in client.get(url).content.decode()
    record_marks(assessment, marks={person.pk: 70}, by=staff)

    assert 'name="pass_marks"' not in client.get(url).content.decode()
    assert client.post(url, {"title": "结业考试", "pass_marks": 90}).status_code == 302

    assessment.refresh_from_db()
    assert (assessment.title, assessment.pass_marks) == ("结业考试", 60)


def test_a_class_is_marked_on_one_page_and_corrected_with_a_reason(client, staff):
    training_class, people, _session = class_of(staff, 3)
    assessment = add_assessment(training_class, by=staff, title="考核")
    one, two, three = people
    client.force_login(staff)
    url = sheet(assessment)

    data = {f"marks_{one.pk}": "70.5", f"marks_{two.pk}": "101", f"marks_{three.pk}": ""}
    answer = client.post(url, data)
    assert answer.status_code == 200 and "desk-error" in answer.content.decode() and "70.5" in answer.content.decode()
    assert not Attempt.objects.exists()

    assert client.post(url, data | {f"marks_{two.pk}": "40"}).status_code == 302
    assert dict(Attempt.objects.values_list("participation", "marks")) == {one.pk: 70.5, two.pk: 40}

    again = data | {f"marks_{two.pk}": "41"}
    assert client.post(url, again).status_code == 200  # no reason
    assert client.post(url, again | {f"marks_{one.pk}": ""}).status_code == 200  # recorded marks are not taken away
    assert client.post(url, again | {"reason": "合计算错"}).status_code == 302
    assert MarksChange.objects.get().reason == "合计算错"


def test_the_sheet_of_a_resit_has_those_who_failed(client, staff):
    training_class, [one, two, three], _session = class_of(staff, 3)
    assessment = add_assessment(training_class, by=staff, title="考核")
    record_marks(assessment, marks={one.pk: 70, two.pk: 40}, by=staff)
    client.force_login(staff)

    page = client.get(sheet(assessment, 2)).content.decode()

    assert f"marks_{two.pk}" in page and f"marks_{one.pk}" not in page and f"marks_{three.pk}" not in page
    assert client.post(sheet(assessment, 2), {f"marks_{two.pk}": 65}).status_code == 302
    assert Attempt.objects.passed().count() == 2


def test_marks_of_somebody_else_stand_on_the_sheet_and_are_left(client, staff):
    training_class, [one, two], _session = class_of(staff, 2)
    assessment = add_assessment(training_class, by=staff, title="考核")
    record_marks(assessment, marks={one.pk: 70}, by=factories.UserFactory(display_name="张老师"))
    client.force_login(staff)

    page = client.get(sheet(assessment)).content.decode()
    client.post(sheet(assessment), {f"marks_{one.pk}": 10, f"marks_{two.pk}": 80})

    assert "张老师" in page and "disabled" in page
    assert dict(Attempt.objects.values_list("participation", "marks")) == {one.pk: 70, two.pk: 80}


def test_an_appeal_is_found_and_marked_again_by_another(client, staff):
    training_class, [one, two], _session = class_of(staff, 2)
    assessment = add_assessment(training_class, by=staff, title="考核")
    record_marks(assessment, marks={one.pk: 50, two.pk: 55}, by=staff)
    attempt = Attempt.objects.get(participation=one)
    appeal(attempt, reason="请复核", by=one.trainee.user)
    other = factories.superuser()
    client.force_login(other)

    shown = client.get(reverse("admin:courses_attempt_changelist") + "?marks=appealed").context["cl"].queryset
    assert list(shown) == [attempt]
    page = reverse("admin:courses_attempt_change", args=[attempt.pk])
    move = reverse("admin:courses_attempt_move", args=[attempt.pk, "mark_again"])
    assert move in client.get(page).content.decode()
    client.force_login(staff)
    client.post(move, {"marks": "90"})  # the first marker
    attempt.refresh_from_db()
    assert attempt.second_marks is None
    client.force_login(other)
    client.post(move, {"marks": "61.5"})

    attempt.refresh_from_db()
    assert (str(attempt.second_marks), attempt.second_by) == ("61.5", other)
    assert move not in client.get(page).content.decode()


def allowed(user):
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="courses"))
    return user


def test_staff_of_an_institution_mark_its_classes_and_no_others(client, staff):
    own, foreign = (TrainingInstitution.objects.create(name=n, region=factories.region("622927")) for n in "甲乙")
    teacher = allowed(factories.UserFactory(is_staff=True))
    InstitutionPosting.objects.create(institution=own, user=teacher, starts_on=timezone.localdate())
    sheets = {}
    for institution in (own, foreign):
        training_class, [person], _session = class_of(staff, 1, institution=institution)
        assessment = add_assessment(training_class, by=staff, title="考核")
        sheets[institution.pk] = (sheet(assessment), person)
    client.force_login(teacher)

    url, person = sheets[own.pk]
    assert person.trainee.name in client.get(url).content.decode()
    assert client.post(url, {f"marks_{person.pk}": 70}).status_code == 302
    url, stranger = sheets[foreign.pk]
    answer = client.post(url, {f"marks_{stranger.pk}": 70}, follow=True)

    assert stranger.trainee.name not in answer.content.decode()
    assert list(Attempt.objects.values_list("participation", flat=True)) == [person.pk]
    assert Assessment.objects.visible_to(teacher).count() == Attempt.objects.visible_to(teacher).count() == 1


def test_who_may_only_look_cannot_open_the_sheet(client, staff):
    training_class, _people, _session = class_of(staff, 1, region=factories.region("622927"))
    assessment = add_assessment(training_class, by=staff, title="考核")
    viewer = factories.official("622927", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer)
    assert client.get(sheet(assessment)).status_code == 403


def test_the_sheet_costs_as_much_for_one_as_for_thirty(client, staff):
    used = []
    for people in (1, 30):
        training_class, rows, _session = class_of(staff, people)
        assessment = add_assessment(training_class, by=staff, title="考核")
        record_marks(assessment, marks={p.pk: 50 for p in rows}, by=factories.UserFactory())
        client.force_login(staff)
        client.get(sheet(assessment))
        counts = []
        for url in (sheet(assessment), reverse("admin:courses_assessment_change", args=[assessment.pk])):
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            counts.append(len(captured))
        used.append(counts)
    assert used[0] == used[1]


def test_satisfaction_stands_on_the_pages_of_class_and_course_from_five_answers_on(client, staff):
    training_class, people, session = class_of(staff, 5)
    course = session.version.course
    client.force_login(staff)
    pages = [
        reverse("admin:courses_trainingclass_change", args=[training_class.pk]),
        reverse("admin:courses_course_change", args=[course.pk]),
    ]
    scores = dict.fromkeys(("teaching", "content", "organisation", "usefulness"), 4)
    for n, enrolment in enumerate(Enrolment.objects.select_related("participation__trainee__user").order_by("pk"), 1):
        user = enrolment.participation.trainee.user
        answer_form(enrolment, scores=scores, courses={course.pk: 2}, remark=f"意见{n}号", by=user)
        shown = [client.get(url).content.decode() for url in pages]
        assert [">4.00<" in shown[0], "意见1号" in shown[0], ">2.00<" in shown[1]] == [n == 5] * 3
    assert len(people) == 5


def test_a_county_marks_its_own_people_of_a_class_that_others_attend_too(client, staff):
    here = factories.region("622927")
    training_class, [own, stranger], _session = class_of(staff, 2, region=here)
    type(stranger.trainee).objects.filter(pk=stranger.trainee_id).update(county=factories.region("520526"))
    assessment = add_assessment(training_class, by=staff, title="考核")
    client.force_login(allowed(factories.official("622927", is_staff=True)))

    page = client.get(sheet(assessment)).content.decode()
    client.post(sheet(assessment), {f"marks_{own.pk}": 70, f"marks_{stranger.pk}": 70})

    assert own.trainee.name in page and stranger.trainee.name not in page
    assert list(Attempt.objects.values_list("participation", flat=True)) == [own.pk]

"""A course is edited on one page; what is saved becomes its next version, and nothing that was taught changes."""

import pytest
from django.urls import reverse
from django.utils.translation import override

from courses.models import Course, CourseVersion, Lecturer
from tests import factories

pytestmark = pytest.mark.django_db
ADD = "admin:courses_course_add"


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


def said(**changes):
    return {
        "code": "ZY-01",
        "is_offered": "on",
        "title": "短视频拍摄",
        "kind": "professional",
        "hours": "8.0",
        "delivery": "on_site",
        "lecturer": "",
        "syllabus": "第一讲\r\n第二讲",
        "materials": "",
    } | changes


def page(course):
    return reverse("admin:courses_course_change", args=[course.pk])


@pytest.fixture
def course(staff, client):
    assert client.post(reverse(ADD), said()).status_code == 302
    return Course.objects.get()


def test_course_is_entered_with_its_first_version(course, staff):
    version = course.current
    assert (course.code, version.number, version.title, str(version.hours)) == ("ZY-01", 1, "短视频拍摄", "8.0")
    assert (version.made_by, version.syllabus) == (staff, "第一讲\n第二讲")


def test_page_is_filled_with_the_present_version(course, client):
    form = client.get(page(course)).context["adminform"].form
    assert {name: form[name].value() for name in ("title", "kind", "syllabus")} == {
        "title": "短视频拍摄",
        "kind": "professional",
        "syllabus": "第一讲\n第二讲",
    }


def test_edited_course_has_a_second_version_and_old_sessions_keep_the_first(course, staff, client):
    session = factories.SessionFactory(course=course)
    lecturer = Lecturer.objects.create(name="马老师")
    response = client.post(page(course), said(hours="6", kind="general", lecturer=lecturer.pk, note="缩短"))
    assert response.status_code == 302
    course.refresh_from_db()
    session.refresh_from_db()
    assert (course.current.number, str(course.current.hours), course.current.note) == (2, "6.0", "缩短")
    assert (course.current.lecturer, course.current.made_by) == (lecturer, staff)
    assert (session.version.number, session.version.kind, str(session.version.hours)) == (1, "professional", "8.0")
    html = client.get(page(course)).content.decode()
    assert "缩短" in html


def test_nothing_changed_makes_no_version(course, client):
    assert client.post(page(course), said()).status_code == 302
    assert CourseVersion.objects.count() == 1


def test_taking_a_course_out_of_the_offer_makes_no_version(course, client):
    data = said()
    del data["is_offered"]
    client.post(page(course), data)
    course.refresh_from_db()
    assert (course.is_offered, CourseVersion.objects.count()) == (False, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"hours": "0"}, None), ({"hours": "-1"}, None), ({"title": ""}, "title"), ({"hours": "x"}, "hours")],
)
def test_bad_course_comes_back_with_the_reason(course, client, changes, field):
    for url, more in ((page(course), {}), (reverse(ADD), {"code": "ZY-02"})):
        response = client.post(url, said(**changes, **more))
        assert response.status_code == 200
        errors = response.context["adminform"].form.errors
        assert errors[field or "__all__"]
    assert CourseVersion.objects.count() == 1


def test_code_is_taken_once_and_stays(course, client):
    assert client.post(reverse(ADD), said()).context["adminform"].form.errors["code"]
    client.post(page(course), said(code="ZY-99"))
    course.refresh_from_db()
    assert course.code == "ZY-01"


def test_whoever_may_only_look_sees_the_versions_and_no_form(course, client):
    viewer = factories.official("622927", is_staff=True)
    from django.contrib.auth.models import Permission

    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_course", "view_courseversion"]))
    client.force_login(viewer)
    html = client.get(page(course)).content.decode()
    assert "短视频拍摄" in html
    assert 'name="title"' not in html

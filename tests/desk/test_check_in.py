"""The screen of a session: its code while people may use it, who has come, and for whose eyes."""

import io
import re

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from courses.check_in_codes import digits_at, token_at
from courses.models import InstitutionPosting, TrainingInstitution
from courses.services import check_in, close_session, mark_attendance
from tests import factories
from tests.courses.world import ENDS, STARTS, after, enrolled, make_session
from tests.desk.world import county_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def session():
    return make_session()


@pytest.fixture
def staff():
    return factories.superuser()


def look(client, session, at=STARTS, part=""):
    with time_machine.travel(at, tick=False):
        return client.get(f"/admin/courses/session/{session.pk}/check-in/{part}", headers={"Accept-Language": "en"})


def come(session, person, at=STARTS):
    user = person.trainee.user
    return check_in(session, person, method="qr", device=user.username, at=at, by=user)


def words(answer) -> str:
    """What stands on the page, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_the_screen_shows_the_code_of_the_moment(client, session, staff, settings):
    settings.PUBLIC_URL = "https://train.example.org"
    enrolled(session)
    client.force_login(staff)
    digits = digits_at(session, STARTS)
    for part in ("", "live/"):
        answer = look(client, session, part=part)
        page = answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        assert f"{digits[:3]} {digits[3:]}" in page and "train.example.org/me/check-in/" in page
        assert 'class="code-qr"' in page and 'data-seconds="30"' in page and "<svg" in page
    assert digits[:3] not in words(look(client, session, after(1), part="live/"))


def test_the_picture_is_the_address_that_checks_in(client, session, staff, settings, tmp_path):
    """Drawn once more from the address it should hold: the same picture."""
    import segno

    settings.PUBLIC_URL = "https://train.example.org"
    client.force_login(staff)
    page = look(client, session).content.decode()
    address = f"https://train.example.org/me/check-in/{session.pk}/{token_at(session, STARTS)}/"
    drawn = io.BytesIO()
    segno.make(address, error="m", boost_error=False).save(drawn, kind="svg", omitsize=True, border=2)
    line = re.search(r' d="([^"]+)"', drawn.getvalue().decode()).group(1)
    assert line in page


def test_without_a_script_the_page_loads_itself(client, session, staff):
    client.force_login(staff)
    page = look(client, session).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page
    assert "admin/check_in.js" in page and "<script>" not in page and "style=" not in page


@pytest.mark.parametrize(
    ("asks", "at", "shows"),
    [
        (False, after(-31), False),
        (False, after(-30), True),
        (False, ENDS, False),
        (True, ENDS, True),
        (True, after(209), True),
        (True, after(210), False),
    ],
)
def test_there_is_a_code_only_while_it_is_good(client, staff, asks, at, shows):
    session = make_session(asks_check_out=asks)
    client.force_login(staff)
    page = look(client, session, at).content.decode()
    assert ("code-qr" in page) == shows
    digits = digits_at(session, at)
    assert (f"{digits[:3]} {digits[3:]}" in page) == shows


def test_a_closed_session_shows_none(client, staff):
    session = make_session(asks_check_out=True)
    close_session(session, by=staff, at=ENDS)
    client.force_login(staff)
    assert "code-qr" not in look(client, session, ENDS).content.decode()


def test_who_has_come_is_counted_and_named(client, staff):
    session = make_session(asks_check_out=True)
    inside, marked, absent, missing = [enrolled(session, f"T{n}") for n in range(4)]
    come(session, inside)
    mark_attendance(session, marks={marked.pk: ("present", None), absent.pk: ("absent", None)}, by=staff, at=STARTS)
    client.force_login(staff)
    answer = look(client, session, part="live/")
    came = answer.context["came"]
    assert (came.expected, came.checked_in, came.marked) == (4, 1, 1)
    assert came.inside == [inside.trainee.name] and came.missing == [missing.trainee.name]
    assert "1 of 4 checked in" in words(answer)
    for person in (inside, missing):
        assert person.trainee.name in words(answer)
    assert absent.trainee.name not in words(answer)


def test_a_neighbour_sees_neither_the_screen_nor_the_people(client, session):
    """The class is held in 622900; of its people one is of another prefecture."""
    own, other = enrolled(session), enrolled(session, "T2", county=factories.region("520526"))
    come(session, other)
    client.force_login(county_staff("520100"))
    assert look(client, session).status_code == 404
    assert look(client, session, part="live/").status_code == 404
    client.force_login(county_staff("622900"))
    answer = look(client, session)
    assert (answer.context["came"].expected, answer.context["came"].checked_in) == (1, 0)
    assert own.trainee.name in words(answer) and other.trainee.name not in words(answer)


def test_staff_of_the_institution_see_everybody(client):
    school = TrainingInstitution.objects.create(name="党校", region=factories.region("622927"))
    session = make_session(training_class=factories.TrainingClassFactory(institution=school))
    enrolled(session), enrolled(session, "T2", county=factories.region("520526"))
    teacher = factories.UserFactory(is_staff=True)
    teacher.user_permissions.set(Permission.objects.filter(content_type__app_label="courses"))
    client.force_login(teacher)
    assert look(client, session).status_code == 404
    InstitutionPosting.objects.create(institution=school, user=teacher, starts_on="2020-01-01")
    assert look(client, session).context["came"].expected == 2


def test_the_code_is_for_those_who_may_mark(client, session):
    user = county_staff("622900")
    user.user_permissions.set(Permission.objects.exclude(codename="add_attendance"))
    client.force_login(user)
    assert look(client, session).status_code == 403
    assert look(client, session, part="live/").status_code == 403
    page = client.get(f"/admin/courses/session/{session.pk}/change/").content.decode()
    assert "/check-in/" not in page
    client.force_login(enrolled(session).trainee.user)
    assert look(client, session).status_code == 302


def test_session_and_class_lead_to_screen_and_calendar(client, session, staff):
    client.force_login(staff)
    page = client.get(f"/admin/courses/session/{session.pk}/change/").content.decode()
    assert f"/admin/courses/session/{session.pk}/check-in/" in page
    page = client.get(f"/admin/courses/trainingclass/{session.training_class_id}/change/").content.decode()
    assert f"/calendar/{session.training_class.feed_key}/class.ics" in page


def test_queries_of_the_screen_do_not_grow(client, session, staff):
    client.force_login(staff)

    def count():
        with CaptureQueriesContext(connection) as captured:
            look(client, session, part="live/")
        return len(captured)

    come(session, enrolled(session))
    few = count()
    for n in range(2, 32):
        come(session, enrolled(session, f"T{n}"))
    assert count() == few <= 7

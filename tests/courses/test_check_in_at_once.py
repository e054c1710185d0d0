"""A whole class at once: against the real web server, each request sent twice, and against the closing of a session."""

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from courses.check_in_codes import token_at
from courses.models import Attendance, CheckIn
from courses.services import check_in, check_out, close_session, mark_attendance
from incubator.common.errors import RuleBroken
from incubator.embedded import PROJECT_DIR
from tests import factories
from tests.courses.world import ENDS, STARTS, after, enrolled, make_session
from tests.embedded.conftest import free_port

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 50
PATIENCE = 60  # seconds


def at_once(works):
    """Run functions in threads of their own, all beginning at the same moment; what each gave or was refused with."""
    gate = threading.Barrier(len(works))

    def run(work):
        gate.wait(PATIENCE)
        try:
            return work()
        except RuleBroken as refusal:
            return refusal
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def come(session, person, at=STARTS, phone=""):
    user = person.trainee.user
    return check_in(session, person, method="qr", device=phone or user.username, at=at, by=user)


def go(session, person, at=ENDS):
    user = person.trainee.user
    return check_out(session, person, method="qr", device=user.username, at=at, by=user)


# --- Over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture
def web(tmp_path):
    """The product's own web server, as it is started everywhere, over this test's database."""
    port = free_port()
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = os.environ | {"DATABASE_URL": address, "INCUBATOR_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    size = ["--worker-class", "gthread", "--workers", "2", "--threads", "8", "--preload"]
    command = ["gunicorn", "incubator.wsgi:application", "--bind", f"127.0.0.1:{port}", "--no-control-socket", *size]
    with (tmp_path / "web.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "incubator.embedded.child", *command],
            cwd=PROJECT_DIR,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(PATIENCE)
    assert b"Traceback" not in (tmp_path / "web.log").read_bytes()


def _wait_for(port, server):
    for _try in range(PATIENCE * 10):
        assert server.poll() is None, "the web server ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the web server did not start")


class Phone:
    """A logged-in browser that keeps its cookies, and asks as often at once as one likes."""

    def __init__(self, port, user):
        client = Client()
        client.force_login(user)
        self.port = port
        self.cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}

    def ask(self, method, path, data=None):
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Accept-Language": "en",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        line.request(method, path, urlencode(data) if data else None, headers)
        answer = line.getresponse()
        text = answer.read().decode()
        line.close()
        return answer, text

    def scan(self, path):
        """Look at a scanned code; gives what its button sends."""
        answer, page = self.ask("GET", path)
        assert answer.status == 200, answer.status
        for cookie in answer.headers.get_all("Set-Cookie"):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return dict(re.findall(r'<input type="hidden" name="(csrfmiddlewaretoken|what|pass)" value="([^"]+)">', page))


def _code_of(session):
    return f"/me/check-in/{session.pk}/{token_at(session, timezone.now())}/"


def test_fifty_phones_each_sending_twice_make_fifty_marks(web):
    now = timezone.now()
    session = make_session(starts_at=now - timedelta(minutes=5), minutes=120)
    people = [enrolled(session, f"T{n}") for n in range(PEOPLE)]
    phones = [Phone(web, person.trainee.user) for person in people]
    forms = [phone.scan(_code_of(session)) for phone in phones]
    assert all(set(form) == {"csrfmiddlewaretoken", "what", "pass"} for form in forms)
    assert not CheckIn.objects.exists()  # looking changed nothing

    path = _code_of(session)
    sent = [lambda p=p, f=f: p.ask("POST", path, f) for p, f in zip(phones, forms, strict=True) for _twice in range(2)]
    answers = at_once(sent)

    there = f"/me/check-in/{session.pk}/"
    assert Counter((answer.status, answer.headers["Location"]) for answer, _page in answers) == {(302, there): 100}
    assert CheckIn.objects.filter(session=session).count() == PEOPLE
    marks = Attendance.objects.filter(session=session)
    assert marks.count() == PEOPLE == marks.values("participation").distinct().count()
    assert set(marks.values_list("state", "minutes", "method")) == {("present", 120, "qr")}
    assert not any(mark.changes.exists() for mark in marks)
    assert {mark.marked_by_id for mark in marks} == {person.trainee.user_id for person in people}
    for phone in phones:
        answer, page = phone.ask("GET", there)
        assert answer.status == 200 and "120 minutes count" in page and "notice-error" not in page


# --- Without HTTP, many at the same moment ----------------------------------------------------------------------------


def test_one_person_from_many_phones_is_there_once():
    session = make_session()
    person = enrolled(session)
    given = at_once([lambda n=n: come(session, person, phone=f"phone {n}") for n in range(8)])
    assert len({row.pk for row in given}) == 1
    assert (CheckIn.objects.count(), Attendance.objects.count()) == (1, 1)


def test_one_phone_for_many_people_lets_one_in():
    session = make_session()
    people = [enrolled(session, f"T{n}") for n in range(8)]
    given = at_once([lambda p=p: come(session, p, phone="one") for p in people])
    assert sum(isinstance(one, CheckIn) for one in given) == 1
    assert sum(isinstance(one, RuleBroken) for one in given) == 7
    assert (CheckIn.objects.count(), Attendance.objects.count()) == (1, 1)


def test_one_person_at_two_sessions_of_one_time_is_let_in_at_one():
    for _round in range(5):
        one, other = make_session(), make_session()
        person = enrolled(one, f"T{one.pk}")
        same = enrolled(other, trainee=person.trainee)
        given = at_once([lambda s=s, p=p: come(s, p) for s, p in ((one, person), (other, same))])
        assert sum(isinstance(found, RuleBroken) for found in given) == 1
        assert Attendance.objects.filter(session__in=[one, other]).count() == 1


def test_staff_marking_two_sessions_of_one_time_at_once_leave_a_person_at_one():
    staff = factories.superuser()
    for _round in range(5):
        one, other = make_session(), make_session()
        person = enrolled(one, f"T{one.pk}")
        same = enrolled(other, trainee=person.trainee)
        works = [
            lambda s=s, p=p: mark_attendance(s, marks={p.pk: ("present", None)}, by=staff, at=STARTS)
            for s, p in ((one, person), (other, same))
        ]
        given = at_once(works)
        assert sum(isinstance(found, RuleBroken) for found in given) == 1
        assert Attendance.objects.filter(session__in=[one, other]).count() == 1


def test_closing_and_leaving_at_once_gives_everybody_one_mark():
    """Whoever was told that they are checked out is present; everybody else is absent; nobody is both."""
    staff = factories.superuser()
    for number in range(4):
        session = make_session(asks_check_out=True)
        people = [enrolled(session, f"T{number}-{n}") for n in range(10)]
        for person in people:
            come(session, person)
        works = [lambda s=session, p=p: go(s, p) for p in people]
        works.insert(number * 3, lambda s=session: close_session(s, by=staff, at=ENDS))
        given = at_once(works)
        closed = given.pop(number * 3)
        told = {person.pk: isinstance(found, CheckIn) for person, found in zip(people, given, strict=True)}
        marks = dict(Attendance.objects.filter(session=session).values_list("participation", "state"))
        assert {pk: state == "present" for pk, state in marks.items()} == told
        assert closed == list(told.values()).count(False)
        left = CheckIn.objects.filter(session=session).exclude(left_at=None)
        assert set(left.values_list("participation", flat=True)) == {pk for pk, was in told.items() if was}


def test_closing_and_coming_at_once_gives_everybody_one_mark():
    """The last second of a session, on servers whose clocks differ by one."""
    staff = factories.superuser()
    session = make_session()
    people = [enrolled(session, f"T{n}") for n in range(10)]
    works = [lambda p=p: come(session, p, after(100)) for p in people]
    works.insert(5, lambda: close_session(session, by=staff, at=ENDS))
    given = at_once(works)
    closed = given.pop(5)
    assert Attendance.objects.count() == 10
    assert closed == sum(isinstance(found, RuleBroken) for found in given)
    assert CheckIn.objects.count() == 10 - closed == Attendance.objects.filter(state="present").count()


def test_staff_and_phone_at_once_give_one_mark():
    """Whichever was first stands: staff would need a reason to correct it, and a phone corrects nothing."""
    staff = factories.superuser()
    for _round in range(5):
        session = make_session()
        person = enrolled(session, f"T{session.pk}")
        marks = {person.pk: ("present", 30)}
        given = at_once(
            [
                lambda s=session, p=person: come(s, p),
                lambda s=session, m=marks: mark_attendance(s, marks=m, by=staff, at=STARTS),
            ]
        )
        assert sum(isinstance(found, RuleBroken) for found in given) == 1
        mark = Attendance.objects.get(session=session)
        by_staff = isinstance(given[0], RuleBroken)
        assert (mark.method, mark.minutes) == (("staff", 30) if by_staff else ("qr", 180))
        assert not mark.changes.exists()

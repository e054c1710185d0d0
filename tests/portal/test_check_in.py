"""The pages of checking in, as a phone asks for them: looking changes nothing, and everybody acts for themselves."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from courses.check_in_codes import digits_at, token_at
from courses.models import Attendance, CheckIn, Enrolment
from courses.services import close_session, mark_attendance
from courses.services.check_in import WRONG_CODES
from tests import factories
from tests.courses.world import ENDS, STARTS, after, enrolled, make_session
from tests.factories import TraineeFactory, superuser

pytestmark = pytest.mark.django_db
PAGE_LIMIT = 100 * 1024


@pytest.fixture(autouse=True)
def nobody_guessed(clean_cache):
    return


@pytest.fixture
def session():
    return make_session(room="301", training_class=factories.TrainingClassFactory(name="甲班"))


@pytest.fixture
def asking():
    return make_session(asks_check_out=True)


def phone_of(person) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(person.trainee.user)
    return client


def address(session, at=None, token=None):
    return f"/me/check-in/{session.pk}/{token or token_at(session, at or STARTS)}/"


def scan(client, session, at):
    """Look at a scanned code: the page, and the pass that its form carries."""
    with time_machine.travel(at, tick=False):
        answer = client.get(address(session, at))
    return answer, (answer.context["scan"] if answer.context and "scan" in answer.context else {}).get("pass", "")


def press(client, session, at, *, what="check_in", token=None, **data):
    with time_machine.travel(at, tick=False):
        return client.post(address(session, at, token), {"what": what, **data}, follow=True)


def type_code(client, session, at, code=None, what="check_in"):
    with time_machine.travel(at, tick=False):
        code = digits_at(session, at) if code is None else code
        return client.post(f"/me/check-in/{session.pk}/", {"what": what, "code": code}, follow=True)


def said(answer) -> str:
    return answer.content.decode()


def minutes():
    return sorted(Attendance.objects.values_list("minutes", flat=True))


def test_a_scan_shows_the_session_and_one_button_and_changes_nothing(session):
    client = phone_of(enrolled(session))
    answer, ticket = scan(client, session, STARTS)
    page = said(answer)
    assert answer.status_code == 200 and ticket
    assert session.version.title in page and "301" in page
    assert page.count('<button class="button button-wide"') == 1
    assert not CheckIn.objects.exists() and not Attendance.objects.exists()
    assert client.head(address(session)).status_code == 200 and not CheckIn.objects.exists()


def test_the_button_checks_in_and_says_what_counts(session):
    client = phone_of(enrolled(session))
    _page, ticket = scan(client, session, after(12))
    answer = press(client, session, after(12), **{"pass": ticket})
    page = said(answer)
    assert answer.redirect_chain[-1][0] == f"/me/check-in/{session.pk}/"
    assert "168 minutes count" in page and "You came at 08:12" in page and "That was late" in page
    assert minutes() == [168] and CheckIn.objects.get().method == "qr"


def test_the_page_says_beforehand_that_one_is_late(session):
    client = phone_of(enrolled(session))
    assert "You are late" not in said(scan(client, session, after(10))[0])
    assert "You are late: 60 minutes count" in said(scan(client, session, after(120))[0])


def test_a_slow_network_is_waited_for_and_no_longer(session):
    """The code is over after a minute; who scanned it in time has two minutes for the button."""
    person, slow = enrolled(session), enrolled(session, "T2")
    token = token_at(session, STARTS)
    for one, seconds, count in ((person, 119, 1), (slow, 121, 1)):
        client = phone_of(one)
        ticket = scan(client, session, STARTS)[1]
        answer = press(client, session, after(seconds=seconds), token=token, **{"pass": ticket})
        assert Attendance.objects.count() == count
    assert "This code is over" in said(answer)


def test_a_pass_is_worth_nothing_to_others(session):
    person, other = enrolled(session), enrolled(session, "T2")
    ticket = scan(phone_of(person), session, STARTS)[1]
    old = token_at(session, STARTS)
    press(phone_of(other), session, after(seconds=90), token=old, **{"pass": ticket})
    assert not Attendance.objects.exists()


def test_an_old_code_is_told_when_it_is_scanned(session):
    client = phone_of(enrolled(session))
    with time_machine.travel(after(2), tick=False):
        answer = client.get(address(session, STARTS))
        page = said(answer)
        client.post(address(session, STARTS), {"what": "check_in"})
    assert answer.status_code == 200 and "This code is over" in page
    assert 'name="code"' in page  # the code can be typed instead
    assert not CheckIn.objects.exists()


@pytest.mark.parametrize("at", [after(-31), ENDS, after(250)])
def test_outside_the_window_there_is_no_button_and_no_mark(session, at):
    client = phone_of(enrolled(session))
    assert "button-wide" not in said(scan(client, session, at)[0])
    press(client, session, at)
    type_code(client, session, at)
    assert not CheckIn.objects.exists() and not Attendance.objects.exists()


def test_a_second_press_shows_the_same(session):
    client = phone_of(enrolled(session))
    pages = [said(press(client, session, at)) for at in (after(5), after(5, 1))]
    assert all("180 minutes count" in page for page in pages) and minutes() == [180]


def test_a_phone_is_known_again_whoever_logs_in_on_it(session):
    person, other = enrolled(session), enrolled(session, "T2")
    client = phone_of(person)
    press(client, session, STARTS)
    phone = client.cookies["phone"]
    assert phone["httponly"] and phone["samesite"] == "Lax" and phone["max-age"] > 365 * 24 * 3600
    client = phone_of(other)
    client.cookies["phone"] = phone.value
    assert "Somebody else has checked in" in said(press(client, session, after(1)))
    assert "Somebody else has checked in" in said(type_code(client, session, after(2)))
    assert CheckIn.objects.count() == 1
    client.cookies["phone"] = phone.value + "x"  # one that was tampered with is a new phone
    press(client, session, after(3))
    assert CheckIn.objects.count() == 2


def test_a_stranger_s_session_is_not_shown(session):
    stranger = enrolled(make_session())
    client = phone_of(stranger)
    answer, _ticket = scan(client, session, STARTS)
    assert answer.status_code == 404 and "not a session of yours" in said(answer)
    assert session.version.title not in said(answer) and "甲班" not in said(answer)
    with time_machine.travel(STARTS, tick=False):
        assert client.post(address(session), {"what": "check_in"}).status_code == 404
        assert client.get(f"/me/check-in/{session.pk}/").status_code == 404
        assert client.post(f"/me/check-in/{session.pk}/", {"code": digits_at(session, STARTS)}).status_code == 404
        nowhere = client.get(f"/me/check-in/{session.pk + 99}/{token_at(session, STARTS)}/")
    assert said(nowhere) == said(answer) or nowhere.status_code == 404
    assert not CheckIn.objects.exists()


@pytest.mark.parametrize("page", ["/me/timetable/", "/me/check-in/", "/me/check-in/1/", "/me/check-in/1/abc/"])
def test_the_pages_are_for_trainees(client, page):
    client.force_login(superuser())
    assert client.get(page).status_code == 404


def test_after_the_login_the_scanned_link_opens(session):
    person = enrolled(session)
    client = Client(headers={"Accept-Language": "en"})
    with time_machine.travel(after(5), tick=False):
        link = address(session, after(5))
        sent = client.get(link, follow=True)
        assert sent.redirect_chain[-1][0].startswith("/accounts/login/")
        form = {"login": person.trainee.user.username, "password": "correct horse", "next": link}
        assert f'name="next" value="{link}"' in said(sent)
        answer = client.post("/accounts/login/", form, follow=True)
    assert answer.redirect_chain[-1][0] == link and "button-wide" in said(answer)
    assert not CheckIn.objects.exists()


# --- Typed codes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["{}", " {} ", "{:.3} {}"])
def test_a_typed_code_checks_in(session, written):
    code = digits_at(session, STARTS)
    code = f"{code[:3]} {code[3:]}" if written.count("{") == 2 else written.format(code)
    answer = type_code(phone_of(enrolled(session)), session, STARTS, code)
    assert "180 minutes count" in said(answer)
    assert Attendance.objects.get().method == "code"


def test_full_width_digits_are_digits(session):
    wide = digits_at(session, STARTS).translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    type_code(phone_of(enrolled(session)), session, STARTS, wide)
    assert Attendance.objects.count() == 1


@pytest.mark.parametrize("code", ["", "12", "abcdef", "99999999999999", "六六六六六六"])
def test_a_wrong_code_is_a_sentence(session, code):
    answer = type_code(phone_of(enrolled(session)), session, STARTS, code)
    assert answer.status_code == 200 and "This code is wrong or over" in said(answer)
    assert not CheckIn.objects.exists()


def test_sending_a_code_again_is_no_guess(session):
    """The second of two taps arrives late on a weak network, when its code is over."""
    client = phone_of(enrolled(session))
    code = digits_at(session, STARTS)
    for _n in range(WRONG_CODES + 1):
        page = said(type_code(client, session, STARTS, code))
        again = said(type_code(client, session, after(5), code))
        assert "180 minutes count" in page and "180 minutes count" in again
        assert "notice-error" not in page + again


def test_guessing_ends_after_some_wrong_codes(session):
    client = phone_of(enrolled(session))
    wrong = "000000" if digits_at(session, STARTS) != "000000" else "000001"
    for _n in range(WRONG_CODES):
        type_code(client, session, STARTS, wrong)
    assert "Too many wrong codes" in said(type_code(client, session, STARTS))
    assert not CheckIn.objects.exists()
    press(client, session, STARTS)  # the screen is there for everybody
    assert CheckIn.objects.count() == 1


def test_what_may_be_done_now_is_offered(session):
    person = enrolled(session)
    client = phone_of(person)
    for at, count in ((after(-31), 0), (after(-30), 1), (after(179), 1), (ENDS, 0)):
        with time_machine.travel(at, tick=False):
            assert said(client.get("/me/check-in/")).count('name="code"') == count
    press(client, session, after(5))
    with time_machine.travel(after(6), tick=False):
        assert 'name="code"' not in said(client.get("/me/check-in/"))


# --- Leaving ----------------------------------------------------------------------------------------------------------


def test_coming_and_leaving_with_two_scans(asking):
    client = phone_of(enrolled(asking))
    page = said(press(client, asking, STARTS))
    assert "Check out when you leave" in page and minutes() == []
    page = said(scan(client, asking, after(100))[0])
    assert 'value="check_out"' in page and "If you leave now, 100 minutes count" in page
    page = said(press(client, asking, after(100), what="check_out"))
    assert "100 minutes count" in page and "You left at 09:40" in page and minutes() == [100]


def test_a_double_tap_on_coming_is_no_leaving(asking):
    client = phone_of(enrolled(asking))
    for at in (after(1), after(1, 1), after(30)):
        press(client, asking, at)
        type_code(client, asking, at)
    assert CheckIn.objects.get().left_at is None and minutes() == []
    type_code(client, asking, after(100), what="check_out")
    type_code(client, asking, after(120), what="check_out")
    assert CheckIn.objects.get().left_at == after(100) and minutes() == [100]


def test_after_closing_the_page_says_so(asking):
    person = enrolled(asking)
    client = phone_of(person)
    press(client, asking, STARTS)
    close_session(asking, by=superuser(), at=ENDS)
    page = said(press(client, asking, after(181), what="check_out"))
    assert "absent" in page and minutes() == [0]


# --- Timetable --------------------------------------------------------------------------------------------------------


def test_timetable_shows_what_is_to_come_what_is_past_and_what_to_do_now(session):
    person = enrolled(session)
    group = session.training_class
    past = make_session(training_class=group, starts_at=STARTS - timedelta(days=1), room="老楼")
    unmarked = make_session(training_class=group, starts_at=STARTS - timedelta(days=2))
    coming = make_session(training_class=group, starts_at=STARTS + timedelta(days=1), room="操场")
    other = make_session(starts_at=after(30))
    mark_attendance(past, marks={person.pk: ("absent", None)}, by=superuser())
    with time_machine.travel(STARTS, tick=False):
        page = said(phone_of(person).get("/me/timetable/"))
    for one in (session, past, unmarked, coming):
        assert one.version.title in page
    assert other.version.title not in page
    assert page.index(session.version.title) < page.index(coming.version.title) < page.index(past.version.title)
    assert "absent" in page and "Not marked yet" in page and "操场" in page and "甲班" in page
    assert page.count(">Check in</a>") == 1
    assert f"/calendar/{group.feed_key}/class.ics" in page


def test_a_queue_tells_the_place(session):
    people = [enrolled(session, f"T{n}") for n in range(3)]
    for n, person in enumerate(people):
        Enrolment.objects.filter(participation=person).update(state="waiting", since=after(n))
    page = said(phone_of(people[2]).get("/me/timetable/"))
    assert "甲班" in page and "number 3 of the queue" in page and session.version.title not in page
    assert session.training_class.feed_key not in page


def test_nothing_to_show_is_said(session):
    trainee = TraineeFactory(user=factories.UserFactory(role="trainee"))
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(trainee.user)
    assert "No session is to come" in said(client.get("/me/timetable/"))
    assert "There is no session now" in said(client.get("/me/check-in/"))


def test_home_leads_here(session):
    page = said(phone_of(enrolled(session)).get("/me/"))
    assert 'href="/me/timetable/"' in page and 'href="/me/check-in/"' in page


def test_pages_are_small_and_their_queries_do_not_grow(session):
    person = enrolled(session)
    client = phone_of(person)

    def ask(page):
        with time_machine.travel(after(5), tick=False), CaptureQueriesContext(connection) as captured:
            answer = client.get(page)
        assert answer.status_code == 200 and len(answer.content) < PAGE_LIMIT
        return len(captured)

    make_session(training_class=session.training_class, starts_at=STARTS - timedelta(days=1))
    pages = ["/me/timetable/", "/me/check-in/", address(session, after(5))]
    ask(pages[0])
    few = [ask(page) for page in pages]
    for n in range(2, 120):
        days = timedelta(days=n if n % 2 else -n)
        make_session(training_class=session.training_class, starts_at=STARTS + days)
    for n in range(30):
        enrolled(session, f"P{n}")
    assert [ask(page) for page in pages] == few
    assert max(few) <= 12

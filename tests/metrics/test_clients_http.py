"""The small rules both adapters rest on."""

import asyncio
import gzip
from datetime import datetime, timedelta

import pytest

from incubator.metrics.clients import base, http
from tests.factories import SHANGHAI

AT = datetime(2026, 9, 1, 3, 0, tzinfo=SHANGHAI)
GOOD = {"access_token": "a", "refresh_token": "r", "expires_in": 60, "lives": "120"}


def tokens(**changed):
    answer = GOOD | changed
    return http.tokens_of(answer, AT, external_id="x", refresh_seconds="lives", scopes=answer.get("scopes"))


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("7", "", 7),
        (" 0 ", "", 0),
        ("999999999", "", http.LONGEST_PAUSE),
        ("Tue, 01 Sep 2026 03:00:30 GMT", "Tue, 01 Sep 2026 03:00:00 GMT", 30),  # by the platform's clock, not ours
        ("Wed, 21 Oct 2015 07:28:00 GMT", "Tue, 01 Sep 2026 03:00:00 GMT", 0),
        ("Tue, 01 Sep 2026 03:00:30", "Tue, 01 Sep 2026 03:00:00 GMT", 30),
        ("", "", None),
        ("soon", "", None),
        ("-5", "", None),
        ("²", "", None),
        ("1.5", "", None),
    ],
)
def test_retry_after_in_every_form(value, date, seconds):
    assert http.retry_after({"Retry-After": value, "Date": date}) == seconds


@pytest.mark.parametrize("value", ["", "yesterday", "Tue, 99 Sep 2026 03:00:00 GMT"])
def test_without_a_date_the_day_is_ours(value):
    assert abs(http.platform_day(value) - datetime.now(SHANGHAI).date()) <= timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), ("-5", -5), (0, 0), (True, None), (1.0, None), ("", None), ("５", None), ("9" * 30, None)],
)
def test_a_whole_number_is_told_from_what_looks_like_one(value, number):
    assert http.whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "missing"),
        ("many", "no_number"),
        (-1, "negative"),
        (http.MOST_FOLLOWERS + 1, "absurd"),
        ([], "no_number"),
    ],
)
def test_an_unusable_count_says_why(value, why):
    with pytest.raises(base.BadAnswer) as caught:
        http.follower_count({"fan": value}, "fan")
    assert caught.value.code == why


def test_tokens_carry_absolute_instants_and_scopes_in_either_form():
    assert tokens().refresh_expires_at == AT + timedelta(seconds=120)
    assert tokens(scopes="a, b").scopes == tokens(scopes=["a", "b"]).scopes == ("a", "b")


@pytest.mark.parametrize(
    "changed",
    [
        {"access_token": None},
        {"access_token": ""},
        {"refresh_token": "two\r\nlines"},
        {"access_token": "x" * 1025},
        {"expires_in": None},
        {"expires_in": -1},
        {"lives": 10**18},
    ],
)
def test_tokens_that_could_not_be_used_are_not_taken(changed):
    with pytest.raises(base.BadAnswer):
        tokens(**changed)


def test_a_consent_to_less_than_is_read_is_asked_for_again():
    with pytest.raises(base.Reauthorise):
        http.need_scope(tokens(scopes=["other"]), "user_info")
    assert http.need_scope(tokens(), "user_info")


# --- Nonsense on the wire --------------------------------------------------------------------------------------------


def ask_raw(answer, *, times=1):
    """What a session makes of these bytes, sent on the connection and followed by its end; and what it asked."""
    asked = []

    async def talk(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    async def ask():
        server = await asyncio.start_server(talk, "localhost", 0)
        port = server.sockets[0].getsockname()[1]
        session = http.ApiSession(f"http://localhost:{port}", lambda answer: None, timeout=2)
        await session.open()
        try:
            for _time in range(times):
                found = await session.get("/x?secret=s")
            return found
        finally:
            await session.close()
            server.close()

    return asyncio.run(ask()), asked


def response(body, *headers):
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello there\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",  # cut off
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    ],
    ids=["nothing", "no HTTP", "cut off", "negative", "no length", "long header", "bad chunk"],
)
def test_what_is_no_answer_is_a_passing_fault(answer):
    with pytest.raises(base.Transient):
        ask_raw(answer)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"1", b"\xff\xfe", b'{"a": ', b"[" * 60_000, b'{"a": ' + b"9" * 5000 + b"}", b"NaN"],
    ids=["nothing", "list", "number", "bytes", "cut off", "deep", "long number", "NaN"],
)
def test_a_body_that_is_no_object_is_a_bad_answer(body):
    with pytest.raises(base.BadAnswer) as caught:
        ask_raw(response(body))
    assert caught.value.code == "not_json"


def test_a_small_body_that_would_unfold_into_a_huge_one_is_not_unfolded():
    bomb = gzip.compress(b" " * 50_000_000 + b"{}")
    assert len(bomb) < http.LARGEST_ANSWER

    with pytest.raises(base.BadAnswer):
        ask_raw(response(bomb, "Content-Encoding: gzip"))


def test_creators_share_a_session_but_no_cookie():
    _answer, asked = ask_raw(response(b"{}", "Set-Cookie: who=me; Path=/", "Connection: close"), times=2)

    assert len(asked) == 2 and not any(b"cookie" in question.lower() for question in asked)

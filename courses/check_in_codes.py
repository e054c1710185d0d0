"""The codes of a session that change all the time, when they may be used, and the minutes that count.

A code is good in its slot of ``SLOT_SECONDS`` and in the one after, so that nobody scans at the wrong second. It comes
from the session's own key and the site's secret: neither a copy of the table nor the source makes one. Nothing of this
is stored, and nothing here asks the database.
"""

from datetime import datetime, timedelta
from typing import Protocol

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from courses.choices import EARLY_MINUTES, LATE_AFTER_MINUTES

SLOT_SECONDS = 30
DIGITS = 6
TOKEN_LENGTH = 20  # hexadecimal digits: 80 bits, which nobody guesses
PASS_SECONDS = 120  # from the scan to the press of the button, on a network that takes its time
GRACE = timedelta(minutes=LATE_AFTER_MINUTES)
EARLY = timedelta(minutes=EARLY_MINUTES)
LEAVING = timedelta(minutes=30)  # after the end, so long people may still check out
PASS = "courses.check_in.pass"  # noqa: S105 - what the signature is for


class Coded(Protocol):
    """What a code is made of: a session."""

    pk: int
    check_in_key: str


class Bells(Protocol):
    """What minutes are counted between: a session."""

    starts_at: datetime
    ends_at: datetime


# --- Codes ------------------------------------------------------------------------------------------------------------


def slot_of(at: datetime) -> int:
    return int(at.timestamp()) // SLOT_SECONDS


def seconds_left(at: datetime) -> int:
    """Until the next code, 1 to ``SLOT_SECONDS``."""
    return SLOT_SECONDS - int(at.timestamp()) % SLOT_SECONDS


def token_at(session: Coded, at: datetime) -> str:
    """What the QR code of that moment carries."""
    return _token(session, slot_of(at))


def digits_at(session: Coded, at: datetime) -> str:
    """The same moment's code to be typed: six digits, leading zeros included."""
    return _digits(session, slot_of(at))


def is_token(session: Coded, token: str, at: datetime) -> bool:
    return any(constant_time_compare(token, _token(session, slot)) for slot in _slots(at))


def is_digits(session: Coded, digits: str, at: datetime) -> bool:
    return any(constant_time_compare(digits, _digits(session, slot)) for slot in _slots(at))


def _slots(at: datetime) -> tuple[int, int]:
    return slot_of(at), slot_of(at) - 1


def _token(session: Coded, slot: int) -> str:
    return _code(session, slot, "token").hex()[:TOKEN_LENGTH]


def _digits(session: Coded, slot: int) -> str:
    number = int.from_bytes(_code(session, slot, "digits")[:8]) % 10**DIGITS
    return f"{number:0{DIGITS}}"


def _code(session: Coded, slot: int, purpose: str) -> bytes:
    said = f"{session.pk}:{session.check_in_key}:{slot}"
    return salted_hmac(f"courses.check_in.{purpose}", said, algorithm="sha256").digest()


# --- Passes -----------------------------------------------------------------------------------------------------------


def pass_for(session: Coded, user_id: int, at: datetime) -> str:
    """That this person scanned a good code of this session at that moment. Worth nothing to anybody else."""
    return signing.dumps([session.pk, user_id, int(at.timestamp())], salt=PASS)


def is_pass(session: Coded, user_id: int, text: str, at: datetime) -> bool:
    try:
        session_id, holder_id, since = signing.loads(text, salt=PASS)
    except signing.BadSignature:
        return False
    return (session_id, holder_id) == (session.pk, user_id) and 0 <= at.timestamp() - since <= PASS_SECONDS


# --- When -------------------------------------------------------------------------------------------------------------


def opens_at(session: Bells) -> datetime:
    return session.starts_at - EARLY


def is_open(session: Bells, at: datetime) -> bool:
    """Whether people may check in: from half an hour before the bell until the end."""
    return opens_at(session) <= at < session.ends_at


def shuts_at(session: Bells) -> datetime:
    """Until when people may check out."""
    return session.ends_at + LEAVING


def is_for_leaving(session: Bells, at: datetime) -> bool:
    """Whether people may check out: from the bell until half an hour after the end."""
    return session.starts_at <= at < shuts_at(session)


# --- Minutes ----------------------------------------------------------------------------------------------------------


def is_late(session: Bells, came_at: datetime) -> bool:
    """Whoever comes within ``LATE_AFTER_MINUTES`` of the bell, to the second, is not."""
    return came_at > session.starts_at + GRACE


def is_early(session: Bells, left_at: datetime) -> bool:
    """Whether somebody left before the end, as far as it counts."""
    return left_at < session.ends_at - GRACE


def minutes_there(session: Bells, came_at: datetime, left_at: datetime | None = None) -> int:
    """Full minutes that count for somebody who came and left then (None: stayed to the end); 0 where none do."""
    begins = came_at if is_late(session, came_at) else session.starts_at
    ends = left_at if left_at is not None and is_early(session, left_at) else session.ends_at
    return max(0, int((ends - begins).total_seconds() // 60))

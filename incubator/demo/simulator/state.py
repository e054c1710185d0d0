"""What the simulated platform remembers: creators, codes, tokens, calls, faults, and its clock.

Everything that must outlive the process is a line of a journal, replayed at the start.
"""

import json
import secrets
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from incubator.demo.simulator.curves import Curve, default_curve, followers_on

SHANGHAI = ZoneInfo("Asia/Shanghai")
CODE_SECONDS = 120
ACCESS_SECONDS = 172_800
REFRESH_SECONDS = 15_552_000
APP_CALLS_A_DAY = 100_000
USER_CALLS_A_DAY = 1_000


@dataclass
class Consent:
    """One creator's consent: the tokens that are good, and until when (seconds since 1970)."""

    handle: str
    open_id: str
    refresh_token: str
    refresh_until: float
    access: dict[str, float] = field(default_factory=dict)
    discarded: list[str] = field(default_factory=list)


@dataclass
class Fault:
    """Something that goes wrong on a path, for everybody or one creator, a number of times or until taken back."""

    path: str
    kind: str
    times: int | None = None
    handle: str = ""
    result: int = 100200500
    retry_after: str = ""


class State:
    """The platform's memory. Times are seconds since 1970 by the simulated clock."""

    def __init__(self, folder: Path) -> None:
        self.creators: dict[str, dict[str, Any]] = {}
        self.curves: dict[str, Curve] = {}
        self.codes: dict[str, tuple[str, float]] = {}
        self.consents: dict[str, Consent] = {}
        self.by_access: dict[str, Consent] = {}
        self.by_refresh: dict[str, Consent] = {}
        self.calls: dict[date, Counter[tuple[str, str]]] = defaultdict(Counter)
        self.faults: list[Fault] = []
        self._ahead = 0.0  # seconds the simulated clock is ahead of the real one
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        self._journal = self._open()

    # --- The clock ---

    def now(self) -> float:
        return datetime.now(UTC).timestamp() + self._ahead

    def today(self) -> date:
        return datetime.fromtimestamp(self.now(), SHANGHAI).date()

    def set_clock(self, now: datetime | None) -> None:
        self._ahead = now.timestamp() - datetime.now(UTC).timestamp() if now else 0.0
        self._note("clock", {"ahead": self._ahead})

    # --- Creators ---

    def cast(self, creators: list[dict[str, Any]]) -> None:
        """Add or replace creators; all or none."""
        curves = {creator["handle"]: Curve.from_json(creator["curve"]) for creator in creators}
        for creator in creators:
            self.creators[creator["handle"]] = creator
        self.curves |= curves
        self._note("creators", creators)

    def followers(self, handle: str) -> int:
        return followers_on(self.curves.get(handle) or default_curve(handle), self.today())

    # --- Consent and tokens ---

    def issue_code(self, handle: str) -> str:
        code = secrets.token_urlsafe(18)
        self.codes[code] = (handle, self.now() + CODE_SECONDS)
        return code

    def take_code(self, code: str) -> str | None:
        """The creator behind a code; a code counts once, for two minutes."""
        handle, until = self.codes.pop(code, ("", 0.0))
        return handle if handle and until > self.now() else None

    def consent(self, handle: str) -> Consent:
        """A fresh consent of the creator, with its first tokens. The open id stays the same for the same creator."""
        old = self.consents.get(handle)
        consent = Consent(
            handle,
            old.open_id if old else secrets.token_hex(16),
            refresh_token=secrets.token_urlsafe(32),
            refresh_until=self.now() + REFRESH_SECONDS,
        )
        consent.access[secrets.token_urlsafe(32)] = self.now() + ACCESS_SECONDS
        self._remember(consent)
        return consent

    def rotate(self, consent: Consent) -> Consent:
        """A new pair of tokens; the refresh token before is discarded, its expiry is inherited."""
        consent.discarded = [*consent.discarded[-3:], consent.refresh_token]
        consent.refresh_token = secrets.token_urlsafe(32)
        consent.access = {token: until for token, until in consent.access.items() if until > self.now()}
        consent.access[secrets.token_urlsafe(32)] = self.now() + ACCESS_SECONDS
        self._remember(consent)
        return consent

    def revoke(self, handle: str) -> None:
        consent = self.consents.get(handle)
        if consent is not None:
            consent.access, consent.refresh_until = {}, 0.0
            self._remember(consent)

    def _remember(self, consent: Consent, *, is_new: bool = True) -> None:
        self.consents[consent.handle] = consent
        for token in consent.access:
            self.by_access[token] = consent
        for token in [*consent.discarded, consent.refresh_token]:
            self.by_refresh[token] = consent
        if is_new:
            self._note("consent", asdict(consent))

    # --- Calls and faults ---

    def record(self, interface: str, handle: str) -> bool:
        """Count a call; False when the day's calls of the application or of the creator are used up."""
        today = self.calls[self.today()]
        today[(interface, handle)] += 1
        today[(interface, "")] += 1
        return today[(interface, "")] <= APP_CALLS_A_DAY and today[(interface, handle)] <= USER_CALLS_A_DAY

    def fault_for(self, path: str, handle: str) -> Fault | None:
        """The fault that hits this call, counted down."""
        for fault in self.faults:
            if fault.path == path and fault.handle in ("", handle) and fault.times != 0:
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    # --- The journal ---

    def _open(self) -> IO[str]:
        """Replay the journal, leaving out a last line that was cut off, and write it anew without what is outdated."""
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                try:
                    self._replay(*json.loads(line))
                except ValueError:
                    break
        fresh = self._path.with_suffix(".new")
        self._journal = fresh.open("w", encoding="utf-8")
        self._note("clock", {"ahead": self._ahead})
        self._note("creators", list(self.creators.values()))
        for consent in self.consents.values():
            self._note("consent", asdict(consent))
        fresh.replace(self._path)
        return self._journal

    def _replay(self, kind: str, values: Any) -> None:
        if kind == "clock":
            self._ahead = values["ahead"]
        elif kind == "creators":
            self.creators |= {creator["handle"]: creator for creator in values}
            self.curves |= {creator["handle"]: Curve.from_json(creator["curve"]) for creator in values}
        elif kind == "consent":
            self._remember(Consent(**values), is_new=False)

    def close(self) -> None:
        self._journal.close()

    def _note(self, kind: str, values: Any) -> None:
        self._journal.write(json.dumps([kind, values], ensure_ascii=False) + "\n")
        self._journal.flush()

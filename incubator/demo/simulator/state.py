"""What the simulated platforms remember: creators, consents, calls, faults, and their clock.

Everything that must outlive the process is a line of a journal, replayed at the start.
"""

import json
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from incubator.demo.simulator.consents import LIVES, Consent, Consents
from incubator.demo.simulator.curves import Curve, default_curve, followers_on
from incubator.demo.simulator.recorder import Arrivals

SHANGHAI = ZoneInfo("Asia/Shanghai")
APP_CALLS_A_DAY = 100_000
USER_CALLS_A_DAY = 1_000
MOST_FIGURES = 500_000  # figures of the day that are kept ready


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
    """The platforms' memory. Times are seconds since 1970 by the simulated clock."""

    def __init__(self, folder: Path) -> None:
        self.creators: dict[str, dict[str, Any]] = {}
        self.curves: dict[str, Curve] = {}
        self.consents = {platform: Consents(platform, self.now, self._note) for platform in LIVES}
        self.calls: dict[date, dict[str, Counter[str]]] = {}
        self.app_calls_a_day = APP_CALLS_A_DAY
        self.user_calls_a_day = USER_CALLS_A_DAY
        self.faults: list[Fault] = []
        self.arrivals = Arrivals()
        self._ahead = 0.0  # seconds the simulated clock is ahead of the real one
        self._totals: Counter[tuple[date, str]] = Counter()
        self._figures: dict[str, int] = {}
        self._day, self._day_from, self._day_until = date.min, 0.0, 0.0
        self._second, self._http_date = 0, ""
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        self._journal = self._open()

    # --- The clock ---

    def now(self) -> float:
        return time.time() + self._ahead

    def today(self) -> date:
        """The day in China. Worked out once a day: thousands of calls a second ask."""
        now = self.now()
        if not self._day_from <= now < self._day_until:
            self._day = datetime.fromtimestamp(now, SHANGHAI).date()
            midnight = datetime(self._day.year, self._day.month, self._day.day, tzinfo=SHANGHAI)
            self._day_from, self._day_until = midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
            self._figures.clear()
        return self._day

    def http_date(self) -> str:
        """The clock as a ``Date`` header, worked out once a second."""
        second = int(self.now())
        if second != self._second:
            self._second = second
            self._http_date = format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)
        return self._http_date

    def set_clock(self, now: datetime | None) -> None:
        self._ahead = now.timestamp() - time.time() if now else 0.0
        self._note("clock", {"ahead": self._ahead})

    # --- Creators ---

    def cast(self, creators: list[dict[str, Any]]) -> None:
        """Add or replace creators; all or none."""
        curves = {creator["handle"]: Curve.from_json(creator["curve"]) for creator in creators}
        for creator in creators:
            self.creators[creator["handle"]] = creator
        self.curves |= curves
        self._figures.clear()
        self._note("creators", creators)

    def followers(self, handle: str) -> int:
        """Followers of today, kept ready: a curve takes longer than the rest of an answer."""
        today = self.today()
        figure = self._figures.get(handle)
        if figure is None:
            if len(self._figures) >= MOST_FIGURES:
                self._figures.clear()
            figure = self._figures[handle] = self.followers_on(handle, today)
        return figure

    def followers_on(self, handle: str, day: date) -> int:
        return followers_on(self.curves.get(handle) or default_curve(handle), day)

    # --- Consent ---

    def issue_code(self, handle: str, platform: str = "kuaishou") -> str:
        """The code a creator's browser would bring back."""
        return self.consents[platform].issue_code(handle)

    def revoke(self, handle: str, platform: str = "kuaishou") -> None:
        """The creator withdraws on the platform's side."""
        self.consents[platform].revoke(handle)

    # --- Calls and faults ---

    def record(self, interface: str, handle: str) -> bool:
        """Count a call; False when the day's calls of the application or of the creator are used up."""
        today = self.today()
        of_day = self.calls.setdefault(today, defaultdict(Counter))
        of_day[interface][handle] += 1
        self._totals[(today, interface)] += 1
        within = self._totals[(today, interface)] <= self.app_calls_a_day
        return within and of_day[interface][handle] <= self.user_calls_a_day

    def calls_of(self, day: date) -> dict[str, dict[str, int]]:
        """Calls of a day by interface and creator."""
        return {interface: dict(counted) for interface, counted in self.calls.get(day, {}).items()}

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
        for consents in self.consents.values():
            for consent in consents.by_handle.values():
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
            consent = Consent(**values)
            self.consents[consent.platform].remember(consent)

    def close(self) -> None:
        self._journal.close()

    def _note(self, kind: str, values: Any) -> None:
        self._journal.write(json.dumps([kind, values], ensure_ascii=False) + "\n")
        self._journal.flush()

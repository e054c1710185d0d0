"""What the check of any sheet yields: findings by row and column."""

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_OF_A_VALUE = 100  # characters of a cell that a finding repeats


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to correct (or to look at, when not an error). ``value`` is masked where it is personal."""

    row: int
    column: str
    value: str
    sentence: str
    is_error: bool = True


@dataclass(slots=True)
class CheckedRow:
    """A row of the sheet by its number, and what was found in it."""

    number: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_wrong(self) -> bool:
        return bool(self.findings) and any(finding.is_error for finding in self.findings)

    def note(self, column: str, value: str, sentence: str, *, is_error: bool = True) -> None:
        """Add a finding; ``column`` is what the sheet calls it."""
        self.findings.append(Finding(self.number, column, value[:MOST_OF_A_VALUE], sentence, is_error))


def findings_of(rows: Iterable[CheckedRow]) -> list[Finding]:
    return [finding for row in rows for finding in row.findings]

"""What a benchmark says, how it is timed, and the table of them all."""

import json
import resource
import statistics
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Result:
    """One row. Rates: higher is better. ``times_baseline`` is ours / baseline, ``of_limit`` is limit / ours."""

    name: str
    what: str
    unit: str
    ours: float
    baseline: float | None = None
    limit: float | None = None
    times_baseline: float | None = None
    of_limit: float | None = None
    peak_mb: int = 0
    runs: int = 1

    def __post_init__(self) -> None:
        self.times_baseline = round(self.ours / self.baseline, 2) if self.baseline else None
        self.of_limit = round(self.limit / self.ours, 2) if self.limit else None
        self.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


FULL = 1_000_000  # accounts of the full scale
RUNS = 3


def runs_at(accounts: int) -> int:
    """How often a row is measured: on a quick pass, whose figures say little, once."""
    return RUNS if accounts >= FULL else 1


BENCHMARKS: dict[str, Callable[[int], list[Result]]] = {}


def benchmark(*names: str) -> Callable:
    """Decorator: this function measures ``names``. It gets the number of accounts of the scale."""

    def register(function: Callable[[int], list[Result]]) -> Callable[[int], list[Result]]:
        BENCHMARKS.update(dict.fromkeys(names, function))
        return function

    return register


@contextmanager
def timed(seconds: list[float]):
    """Append how long the block took."""
    began = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - began)


def rate(count: int, seconds: list[float]) -> float:
    """Per second, at the median."""
    return count / statistics.median(seconds)


def show(results: list[Result]) -> None:
    head = ("name", "unit", "ours", "baseline", "x baseline", "limit", "limit / ours", "peak MB")
    rows = [
        (
            r.name,
            r.unit,
            f"{r.ours:,.1f}",
            "-" if r.baseline is None else f"{r.baseline:,.1f}",
            "-" if r.times_baseline is None else f"{r.times_baseline}",
            "-" if r.limit is None else f"{r.limit:,.1f}",
            "-" if r.of_limit is None else f"{r.of_limit}",
            str(r.peak_mb),
        )
        for r in results
    ]
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)), flush=True)  # noqa: T201
    for r in results:
        print(f"\n{r.name}: {r.what}", flush=True)  # noqa: T201


def keep(results: list[Result], path: Path) -> None:
    """Write them to ``path``, in place of earlier ones of the same name."""
    before = json.loads(path.read_text()) if path.exists() else []
    names = {r.name for r in results}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([b for b in before if b["name"] not in names] + [asdict(r) for r in results], indent=1))

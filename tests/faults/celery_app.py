"""The project's Celery application for fault tests: its patience is short, and it can be told to die at a step.

The settings stay the product's own. What takes seconds and minutes there takes a tenth or less here, in the forked
workers only.
"""

import os
import signal
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init

from incubator.celery import app

__all__ = ["app"]

ORDERS = Path(os.environ.get("FAULTS_ORDERS", "."))
CALL_SECONDS = 5.0  # a machine that is busy with other things answers late


@worker_process_init.connect
def prepare(**kwargs: Any) -> None:
    shorten_patience()
    for step in STEPS:
        arrange(step)


def shorten_patience() -> None:
    """The breaker's rests, the pauses between tries and the longest call, in the product's proportions."""
    from incubator.metrics import batches, limits, streaming
    from incubator.metrics.clients.kuaishou import KuaishouClient

    limits.FIRST_REST, limits.LONGEST_REST, limits.SHORT_WAIT = 0.25, 2.0, 1.0
    limits.LONGEST_CALL = CALL_SECONDS * 1.5
    KuaishouClient.__init__.__kwdefaults__["timeout"] = CALL_SECONDS
    pause = batches.BatchWork._pause
    batches.BatchWork._pause = lambda work, account: pause(work, account) / 10  # type: ignore[method-assign]
    batches.LONGEST_PAUSE, batches.BREATH_SECONDS, streaming.TICK = 2.0, 1, 0.5
    batches.CLAIM /= 10


# --- Death at a step --------------------------------------------------------------------------------------------------

# step: whether it is before or after the function did something, and where the function stands
STEPS = {
    "job claimed": ("after", "jobs", "claim"),
    "calls spent": ("after", "batches", "spend_calls"),
    "rotation claimed": ("after", "batches", "claim_rotation"),
    "tokens rotated": ("before", "batches", "store_tokens"),
    "tokens stored": ("after", "batches", "store_tokens"),
    "figures arrived": ("before", "batches", "write_figures"),
    "figures written": ("after", "work", "_write"),
    "batch read": ("before", "batches", "finish_batch"),
    "batch finished": ("before", "job", "finish"),
    "job finished": ("after", "job", "finish"),
}


def arrange(step: str) -> None:
    """Put the death of a step into its function; it waits for an order."""
    from incubator.jobs import services as jobs
    from incubator.metrics import batches

    when, place, name = STEPS[step]
    owner = {"jobs": jobs, "batches": batches, "work": batches.BatchWork, "job": jobs.RunningJob}[place]
    setattr(owner, name, dying(step, when, getattr(owner, name)))


def dying(step: str, when: str, real: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(real)
    def dies(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            die_if_told(step)
        result = real(*args, **kwargs)
        if when == "after" and (result or wrote_something(args)):
            die_if_told(step)
        return result

    return dies


def wrote_something(args: Sequence[Any]) -> bool:
    return bool(getattr(getattr(args[0], "written", None), "written", 0))


def die_if_told(step: str) -> None:
    """``kill -9`` for this process, if somebody ordered its death at this step; an order counts once."""
    try:
        (ORDERS / step).rename(ORDERS / f"{step} done")
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)

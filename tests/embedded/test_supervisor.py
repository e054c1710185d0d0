"""The supervisor restarts what dies, stops in order, and leaves nothing behind: shown with stand-in parts."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from incubator.embedded import PROJECT_DIR, processes

SCRIPT = """
import os, sys
from pathlib import Path
from incubator.embedded.supervisor import Program, StopRequested, Supervisor

folder = Path(sys.argv[1])
environment = {**os.environ, "SUPERVISED": str(folder)}

def part(name, code):
    command = [sys.executable, "-c", code, str(folder)]
    return Program(name, command, folder / f"{name}.log", environment, folder, stop_seconds=1.0)

supervisor = Supervisor(lambda text: print(text, flush=True), folder)
for line in sys.argv[3:]:
    name, _, code = line.partition(":")
    supervisor.start(part(name, code))
try:
    supervisor.until(lambda: False, 60)
except StopRequested:
    pass
finally:
    supervisor.stop([group.split(",") for group in sys.argv[2].split(";")])
print("stopped", flush=True)
"""

SLEEP = "import time; time.sleep(60)"
NOTE_STOP = """
import signal, sys, time
def stop(*_):
    time.sleep({pause}); open(sys.argv[1] + "/order", "a").write("{name} "); sys.exit()
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1] + "/{name}.up", "w").close()
time.sleep(60)
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
FORKING = "import os, time; os.fork(); time.sleep(60)"
DYING = "import sys; sys.exit('no such table')"


class Supervised:
    def __init__(self, folder: Path, groups: str, **parts: str) -> None:
        self.folder = folder
        lines = [f"{name}:{textwrap.dedent(code)}" for name, code in parts.items()]
        command = [sys.executable, "-c", SCRIPT, str(folder), groups, *lines]
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, cwd=PROJECT_DIR)

    def wait_for(self, text: str) -> None:
        assert processes.until(lambda: text in self.output.read_text(), 15), self.output.read_text()

    def wait_for_file(self, name: str) -> Path:
        assert processes.until((self.folder / name).exists, 15), self.output.read_text()
        return self.folder / name

    def pid_of(self, part: str) -> int:
        file = self.wait_for_file(f"{part}.pid")
        assert processes.until(lambda: file.read_text().strip() != "", 5)
        return int(file.read_text())

    def alive(self) -> list[int]:
        return processes.marked("SUPERVISED", str(self.folder))


@pytest.fixture
def supervised(tmp_path):
    started = []

    def start(groups, **parts):
        started.append(Supervised(tmp_path, groups, **parts))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        processes.end(one.alive)


def test_a_killed_part_is_started_again_and_said_so(supervised):
    run = supervised("a", a=SLEEP)
    before = run.pid_of("a")
    processes.send(before, signal.SIGKILL)
    run.wait_for("a ended (killed by SIGKILL); it is started again now.")
    run.wait_for("a runs again.")
    assert run.pid_of("a") != before


def test_a_part_that_keeps_dying_is_tried_ever_more_slowly_with_its_last_words_shown(supervised):
    run = supervised("a", a=DYING)
    run.wait_for("started again in 2 s")
    assert run.output.read_text().count("no such table") == 3
    assert "started again in 1 s" in run.output.read_text()


def test_parts_stop_group_after_group(supervised):
    slow, quick = NOTE_STOP.format(name="slow", pause=0.3), NOTE_STOP.format(name="quick", pause=0)
    run = supervised("slow;quick", quick=quick, slow=slow)
    run.wait_for_file("slow.up")
    run.wait_for_file("quick.up")
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(10) == 0
    assert (run.folder / "order").read_text().split() == ["slow", "quick"]
    assert run.alive() == []


def test_a_part_that_ignores_the_request_is_killed_after_its_time(supervised):
    run = supervised("a", a=STUBBORN)
    run.pid_of("a")
    run.process.send_signal(signal.SIGTERM)
    assert run.process.wait(4) == 0
    assert run.alive() == []


def test_a_second_request_ends_everything_at_once(supervised):
    slow = NOTE_STOP.format(name="slow", pause=0.9)
    run = supervised("slow", slow=slow)
    run.wait_for_file("slow.up")
    run.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.process.wait(0.2)
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(4) == 0
    assert not (run.folder / "order").exists() and run.alive() == []


def test_children_of_a_killed_part_do_not_outlive_it(supervised):
    run = supervised("a", a=FORKING)
    first = run.pid_of("a")
    assert processes.until(lambda: len(run.alive()) == 2, 5)
    orphans = set(run.alive()) - {first}
    processes.send(first, signal.SIGKILL)
    run.wait_for("started again")
    assert processes.until(lambda: not orphans & set(run.alive()), 5)


def test_a_killed_supervisor_takes_its_parts_with_it(supervised):
    run = supervised("a,b", a=SLEEP, b=STUBBORN)
    assert processes.until(lambda: len(run.alive()) == 2, 5)
    run.process.kill()
    assert processes.until(lambda: run.alive() == [], 5)


def test_workers_forked_below_the_wrapper_end_with_their_parent(tmp_path):
    (tmp_path / "forker.py").write_text("import os, time\nos.fork()\ntime.sleep(60)\n")
    command = [sys.executable, "-m", "incubator.embedded.child", "forker"]
    marks = {"SUPERVISED": str(tmp_path), "PYTHONPATH": str(tmp_path)}
    master = subprocess.Popen(command, cwd=PROJECT_DIR, env={**os.environ, **marks})
    assert processes.until(lambda: len(processes.marked("SUPERVISED", str(tmp_path))) == 2, 10)
    master.kill()
    master.wait()
    assert processes.until(lambda: processes.marked("SUPERVISED", str(tmp_path)) == [], 5)

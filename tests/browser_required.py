"""``-p tests.browser_required``: a run in which a browser test was skipped, or none ran, has failed."""

import pytest

RAN: list[str] = []
SKIPPED: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if "browser" not in report.keywords:
        return
    if report.skipped:
        SKIPPED.append(report.nodeid)
    elif report.when == "call":
        RAN.append(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return  # one of several processes: the one above them hears of all tests
    if (SKIPPED or not RAN) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = ", ".join(SKIPPED) or "none"
    terminalreporter.write_line(f"Browser tests: {len(RAN)} ran, skipped: {skipped}")

"""Workbooks come row by row from a process of their own, which never outlives who asked for it."""

import os
import signal
import time
from pathlib import Path

import pytest
import xlsxwriter

from incubator.common.workbooks import Cell, UnreadableWorkbook, read_workbook, reading


def book(path, rows, *, sheets=("名单",), hidden=()):
    made = xlsxwriter.Workbook(str(path))
    day = made.add_format({"num_format": "yyyy-mm-dd"})
    for name in (*sheets, *hidden):
        sheet = made.add_worksheet(name)
        for number, cells in enumerate(rows):
            for place, value in enumerate(cells):
                if value is not None:
                    sheet.write(number, place, value, *([day] if hasattr(value, "year") else []))
    for name in hidden:
        made.get_worksheet_by_name(name).hide()
    made.close()
    return path


def long_book(path, count=30_000):
    return book(path, ((n, f"马{n}", "x" * 40) for n in range(count)))


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def pid_of(workbook):
    return workbook._child._process.pid


def test_cells_keep_whether_they_are_texts_numbers_or_dates(tmp_path):
    import datetime

    rows = [[" 马兰 ", 12, 1.5, datetime.date(2026, 3, 2), None, "0930"], [], [None, "second"]]
    first, second = read_workbook(book(tmp_path / "a.xlsx", rows))

    assert (first.number, second.number) == (1, 3)
    assert first.cells[:4] == [Cell("马兰"), Cell("12", True), Cell("1.5", True), Cell("2026-03-02", is_date=True)]
    assert (first.cell(4), first.cell(5), first.cell(99)) == (Cell(), Cell("0930"), Cell())
    assert second.cell(1).text == "second"


def test_the_process_ends_with_the_last_row(tmp_path):
    workbook = read_workbook(book(tmp_path / "a.xlsx", [["a"], ["b"]]))
    pid = pid_of(workbook)

    assert [row.cell(0).text for row in workbook] == ["a", "b"]

    assert not is_running(pid)


def test_the_process_is_ended_when_the_reader_stops_early(tmp_path):
    workbook = read_workbook(long_book(tmp_path / "long.xlsx"))
    pid = pid_of(workbook)
    rows = iter(workbook)
    assert next(rows).number == 1 and is_running(pid)

    rows.close()

    assert not is_running(pid)


def test_the_process_is_ended_with_a_workbook_nobody_holds_any_more(tmp_path):
    workbook = read_workbook(book(tmp_path / "a.xlsx", [["a"]]))
    pid = pid_of(workbook)

    del workbook

    assert not is_running(pid)


def test_a_process_that_dies_midway_is_not_taken_for_the_end_of_the_sheet(tmp_path):
    workbook = read_workbook(long_book(tmp_path / "long.xlsx"))
    rows = iter(workbook)
    next(rows)
    os.kill(pid_of(workbook), signal.SIGKILL)

    with pytest.raises(UnreadableWorkbook):
        list(rows)


def test_a_process_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0.01)
    started = time.monotonic()
    with pytest.raises(UnreadableWorkbook):
        read_workbook(long_book(tmp_path / "long.xlsx"))
    assert time.monotonic() - started < 5


def test_the_sheets_are_known_and_hidden_ones_are_not_looked_into(tmp_path):
    path = book(tmp_path / "a.xlsx", [["姓名", "电话"], ["马兰", "1"]], sheets=("说明", "名单"), hidden=("旧表",))
    with read_workbook(path) as workbook:
        told = [(sheet.name, sheet.height, sheet.width, sheet.is_hidden) for sheet in workbook.sheets]
        assert told == [("说明", 2, 2, False), ("名单", 2, 2, False), ("旧表", 0, 0, True)]
        assert workbook.sheets[1].head[0].cell(0).text == "姓名"
        assert [row.cell(0).text for row in workbook.rows("名单")] == ["姓名", "马兰"]


def test_the_identity_of_a_template_is_told(tmp_path):
    path = book(tmp_path / "a.xlsx", [["622927;7;abc"]], hidden=("incubator",))
    with read_workbook(path) as workbook:
        assert workbook.identity == "622927;7;abc"
        assert [sheet.name for sheet in workbook.filled_sheets] == ["名单"]


def test_a_file_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LARGEST_FILE", 100)
    with pytest.raises(UnreadableWorkbook, match="30 MB"):
        read_workbook(book(tmp_path / "a.xlsx", [["a"]]))


def test_memory_stays_flat_however_long_the_sheet_is(tmp_path):
    workbook = read_workbook(long_book(tmp_path / "long.xlsx", 60_000))
    before = resident()
    count = sum(1 for row in workbook)
    assert count == 60_000
    assert resident() - before < 10 * 1024


def resident():
    """Kilobytes of memory of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])

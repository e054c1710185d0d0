"""Workbooks from outside, read where they can do no harm: in a process of their own with limits."""

from incubator.common.workbooks.reading import (
    LARGEST_FILE,
    SENTENCES,
    Cell,
    Row,
    Sheet,
    UnreadableWorkbook,
    Workbook,
    read_workbook,
)
from incubator.common.workbooks.tables import Layout, Table, find_table

__all__ = [
    "LARGEST_FILE",
    "SENTENCES",
    "Cell",
    "Layout",
    "Row",
    "Sheet",
    "Table",
    "UnreadableWorkbook",
    "Workbook",
    "find_table",
    "read_workbook",
]

"""Workbooks from outside, read where they can do no harm: in a process of their own with limits."""

from incubator.common.workbooks.headers import Header, Layout, normalised
from incubator.common.workbooks.leftovers import Leftover
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
from incubator.common.workbooks.tables import Outline, Table, TableNotFound, find_table

__all__ = [
    "LARGEST_FILE",
    "SENTENCES",
    "Cell",
    "Header",
    "Layout",
    "Leftover",
    "Outline",
    "Row",
    "Sheet",
    "Table",
    "TableNotFound",
    "UnreadableWorkbook",
    "Workbook",
    "find_table",
    "normalised",
    "read_workbook",
]

"""Workbooks from outside, read where they can do no harm: in a process of their own with limits."""

from incubator.common.workbooks.reading import LARGEST_FILE, Cell, Row, UnreadableWorkbook, read_workbook
from incubator.common.workbooks.tables import Layout, Table, find_table

__all__ = ["LARGEST_FILE", "Cell", "Layout", "Row", "Table", "UnreadableWorkbook", "find_table", "read_workbook"]

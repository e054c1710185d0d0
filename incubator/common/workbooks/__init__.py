"""Workbooks from outside, read where they can do no harm: in a process of their own with limits."""

from incubator.common.workbooks.reading import LARGEST_FILE, Cell, Row, UnreadableWorkbook, read_workbook

__all__ = ["LARGEST_FILE", "Cell", "Row", "UnreadableWorkbook", "read_workbook"]

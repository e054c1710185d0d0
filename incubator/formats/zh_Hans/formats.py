"""Figures in groups of three, as spreadsheets and statistics write them (Django leaves Chinese ones ungrouped)."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3

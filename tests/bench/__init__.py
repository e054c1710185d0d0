"""Benchmarks: each against a baseline, and a limit where there is one, measured in the same run. ``make bench``."""

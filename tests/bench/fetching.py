"""Placeholder of the fetch benchmarks."""

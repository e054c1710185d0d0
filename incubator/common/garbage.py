"""Collecting garbage less often, in processes that make pages."""

import gc

# New objects between two collections. A list's page makes hundreds of thousands of small ones, nearly all of which are
# freed by their counts: with Python's 2,000 a third of the page's time went into looking for circles among them.
BETWEEN = (50_000, 20, 50)


def collect_less_often() -> None:
    """Leave what is there now out of collections for good, and look through what is new less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*BETWEEN)

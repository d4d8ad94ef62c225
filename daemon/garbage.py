"""Garbage: many short collections of what is new, hardly ever one of all.

40,000 holds that stay open stopped the loop for at most 0.9 ms at a time; with collections of
50,000 objects it was 18 ms, and cost more.
"""

import gc

THRESHOLDS = (2_000, 1_000, 10)


def collect_little() -> None:
    """Call it when everything is there that lives as long as the daemon: it is never looked at."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

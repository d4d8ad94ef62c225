"""What a long run must show: nothing that only ever grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

MB = 1_000_000
WAL_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """The daemon at one moment, and how fast it answered since the one before."""

    at_s: float
    operations: int
    rss_bytes: int
    threads: int
    descriptors: int
    wal_bytes: int
    p50_ms: float
    p99_ms: float


def findings(samples: Sequence[Sample]) -> list[str]:
    """The last quarter beside the second: by then everything has its size. Empty if all is well."""
    quarter = len(samples) // 4
    if quarter < 2:
        return ["too short: fewer than 8 samples"]
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for name, share, slack in (
        ("rss_bytes", 0.15, 8 * MB),
        ("threads", 0.0, 1),
        ("descriptors", 0.0, 8),
        ("p99_ms", 1.0, 20),
    ):
        before = median(getattr(sample, name) for sample in early)
        after = median(getattr(sample, name) for sample in late)
        if after > before * (1 + share) + slack:
            found.append(f"{name} grew from {before:,.0f} to {after:,.0f}")
    largest = max(sample.wal_bytes for sample in samples)
    if largest > WAL_MAX_BYTES:
        found.append(f"the write-ahead log grew to {largest:,} bytes")
    if late[-1].operations <= early[0].operations:
        found.append("nothing was answered any more")
    return found

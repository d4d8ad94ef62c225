"""`python -m tests.soak`: an hour under load; leaks fail it. `--minutes 5` is a short one."""

import argparse
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from tests.soak.judge import MB, Sample
from tests.soak.run import soak

COLUMNS = "  min  operations   RSS MB  threads  files   WAL MB   p50 ms   p99 ms"


def line(one: Sample) -> None:
    print(
        f"{one.at_s / 60:5.1f}  {one.operations:10,}  {one.rss_bytes / MB:7.1f}  {one.threads:7}"
        f"  {one.descriptors:5}  {one.wal_bytes / MB:7.1f}  {one.p50_ms:7.2f}  {one.p99_ms:7.2f}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=200, help="operations a second, at most")
    asked = parser.parse_args()
    seconds = 60 * asked.minutes
    print(COLUMNS)
    with TemporaryDirectory() as home:
        run = partial(soak, Path(home), seconds, asked.rate, seconds / 40, line)
        found = anyio.run(run)
    print("\n".join(found) or "nothing grew, and the journal verifies")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.simulation 2000`: so many stories; `… 1 --first 7`: that of seed 7."""

import argparse
import logging
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from time import monotonic

from tests.simulation.story import Tally, tell

COUNTED = ("answered", "unknown", "kills", "faults", "falls", "jumps", "entries")


def told(seed: int) -> Tally | str:
    logging.disable(logging.CRITICAL)
    try:
        return tell(seed)
    except Exception as error:  # noqa: BLE001  # whatever it is, the seed is what matters
        return f"{type(error).__name__}: {error}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seeds", type=int, help="how many")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    sums: Counter[str] = Counter()
    failed = 0
    begin = monotonic()
    with ProcessPoolExecutor(asked.processes) as pool:
        for seed, tally in zip(seeds, pool.map(told, seeds, chunksize=10), strict=True):
            if isinstance(tally, str):
                failed += 1
                print(f"seed {seed}: {tally}")
            else:
                sums.update({name: asdict(tally)[name] for name in COUNTED})
    print(f"{len(seeds)} seeds in {monotonic() - begin:.0f} s, {failed} failed")
    print(", ".join(f"{name} {number:,}" for name, number in sums.items()))
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main())

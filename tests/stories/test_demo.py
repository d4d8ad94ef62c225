"""`budget demo`: what the first command of the README promises."""

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Run the demo once, where nothing of ours is, and give what it printed."""
    place = tmp_path_factory.mktemp("demo")
    env = os.environ | {"NO_COLOR": "1", "TZ": "UTC", "TMPDIR": str(place), "HOME": str(place),
                        "PYTHONPATH": str(ROOT), "BUDGET_SOCKET": str(place / "not-this"),
                        "BUDGET_TOKEN": "not-this", "BUDGET_URL": "not-this"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-P", "-m", "daemon", "demo"],
        env=env,
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert list(place.iterdir()) == [], "the demo leaves nothing behind"
    return done.stdout


def usd(text: str) -> Decimal:
    return Decimal(text.replace("$", "").replace(",", ""))


def section(told: str, title: str) -> list[str]:
    return told.split(f"\n{title}\n")[1].split("\n\n", maxsplit=1)[0].splitlines()


def test_the_day_runs_into_a_hard_limit_and_the_reason_is_told(told: str) -> None:
    refusal = re.search(r"^ 402  (\w+) may not call (\S+) at \d\d:\d\d$", told, re.MULTILINE)
    assert refusal is not None
    facts = told[refusal.end() :].split("\n\n", maxsplit=1)[0]

    assert "policy   house, $3.00 until " in facts
    left = re.search(r"left     (\$[\d.]+)\n", facts)
    asked = re.search(r"asked    (\$[\d.]+) at most: [\d,]+ tokens in, up to [\d,]+ out", facts)
    assert left is not None
    assert asked is not None
    assert usd(asked[1]) > usd(left[1])


def test_every_component_stops_at_its_first_refusal(told: str) -> None:
    refused = re.findall(r"^  \d\d:\d\d  (\w+) +refused: ", told, re.MULTILINE)

    assert sorted(refused) == ["apollo", "engram", "hermes", "rhetor"]


def test_the_unusual_is_shown_as_it_happens(told: str) -> None:
    for kind in ("released", "repeated", "overrun", "warned"):
        assert re.search(rf"^  \d\d:\d\d  \w+ +{kind}: ", told, re.MULTILINE), kind


def test_costs_by_component_and_model_add_up_to_the_total(told: str) -> None:
    *rows, _, total = section(told, "Cost by component and model")[1:]
    figures = [re.findall(r"(?<= )(\$?[\d,.]*\d)(?= |$)", row) for row in (*rows, total)]
    calls, tokens, costs = zip(*(row[-3:] for row in figures), strict=True)

    assert len(rows) == 9
    assert sum(map(usd, costs[:-1])) == usd(costs[-1])
    assert sum(map(usd, tokens[:-1])) == usd(tokens[-1])
    assert sum(map(usd, calls[:-1])) == usd(calls[-1])
    assert usd(costs[-1]) <= 3


def test_balances_and_journal_agree_with_the_receipts(told: str) -> None:
    house = next(row for row in section(told, "Balances") if row.startswith("  house "))
    used = re.findall(r"\$[\d.]+", house)[1]
    *_, total = section(told, "Cost by component and model")
    cost = re.findall(r"\$[\d.]+", total)[0]

    assert abs(usd(used) - usd(cost)) <= Decimal("0.00005")
    assert re.search(r"✓ \d+ receipts add up to the balance of the house", told)
    assert re.search(r"✓ \d+ entries verified", told)
    assert "✗" not in told

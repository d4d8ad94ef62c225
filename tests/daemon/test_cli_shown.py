"""How figures, tables and bars look to a person."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import click
import pytest

from daemon.cli import units
from daemon.cli.table import Column, bar, figures, render, words

WIDTHS_PROGRAM = """
from daemon.cli.table import Column, render, words
columns = [*words("one"), Column("two", optional=True), *words("three")]
print(render(columns, [["a" * 20, "b" * 20, "c" * 20]]))
"""


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("20", "$20.00"),
        ("3.141250000", "$3.1412"),
        ("0.012000000", "$0.012"),
        ("0.000123450", "$0.00012"),
        ("0.000000001", "$0.000000001"),
        ("0", "$0.00"),
        ("-0.038250000", "-$0.0382"),
        ("1234567.5", "$1,234,567.50"),
        ("0.009996", "$0.01"),
    ],
)
def test_dollars_are_rounded_to_what_a_person_reads(amount: str, shown: str) -> None:
    assert units.usd(amount) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.000819600", "$0.0008196"), ("2", "$2.00"), ("1E-9", "$0.000000001"), ("1.5", "$1.50")],
)
def test_a_receipt_has_every_digit(amount: str, shown: str) -> None:
    assert click.unstyle(units.exact_usd(amount)) == shown


def test_every_count_says_its_unit() -> None:
    assert units.count(1204, "tokens") == "1,204 tokens"
    assert units.count(1, "calls") == "1 call"
    assert units.count(1, "entries") == "1 entry"
    assert units.amount("usd", "5.000000000") == "$5.00"
    assert units.amount("calls", 1) == "1 call"
    assert units.amounts({"usd": "0.1", "tokens": 3000, "calls": 1}) == (
        "$0.10, 3,000 tokens, 1 call"
    )


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (8061, "2 h 14 min"), (90_000, "1 d 1 h")],
)
def test_a_length_of_time_has_two_units(seconds: float, shown: str) -> None:
    assert units.lasting(seconds) == shown


def test_a_window_without_an_end_never_resets() -> None:
    assert units.when(None) == units.when("9999-12-31T23:59:59.000Z") == "never"


def test_figures_stand_on_their_decimal_point() -> None:
    shown = render([*words("name"), *figures("cost")], [["a", "$1.5"], ["bc", "$10.125"]])

    assert click.unstyle(shown).splitlines() == [
        "  name     cost",
        "  a      $1.5",
        "  bc    $10.125",
    ]


def test_a_total_stands_under_a_rule() -> None:
    shown = render(figures("n"), [["1"], ["2"]], ["3"])

    assert click.unstyle(shown).splitlines() == ["  n", "  1", "  2", "  ─", "  3"]


@pytest.mark.parametrize(
    ("used", "held", "shown"),
    [
        (0.0, 0.0, "░░░░░░░░"),
        (0.0001, 0.0, "▏░░░░░░░"),
        (0.5, 0.0, "████░░░░"),
        (0.5, 0.25, "████▒▒░░"),
        (0.999, 0.0, "███████▉"),
        (1.0, 0.5, "████████"),
        (7.0, 0.0, "████████"),
    ],
)
def test_a_bar_is_full_only_when_the_limit_is_reached(used: float, held: float, shown: str) -> None:
    assert click.unstyle(bar(used, held, width=8)) == shown


def test_a_bar_turns_from_green_to_red() -> None:
    colours = [bar(used).partition("m")[0] for used in (0.5, 0.85, 0.97)]

    assert colours == ["\x1b[32", "\x1b[33", "\x1b[31"]


@pytest.mark.parametrize(("width", "has_two"), [(100, True), (60, False)])
def test_an_optional_column_goes_when_the_terminal_is_narrow(
    environ: dict[str, str], *, width: int, has_two: bool
) -> None:
    shown = on_terminal([sys.executable, "-P", "-c", WIDTHS_PROGRAM], environ, width)

    assert ("two" in shown) is has_two
    assert "three" in shown


def test_a_column_that_is_not_optional_stays() -> None:
    assert "x" in render([Column("x")], [["1"]])


def on_terminal(command: list[str], environ: dict[str, str], width: int) -> str:
    """Run a command on a terminal of this width and give what appears on it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    env = {name: text for name, text in environ.items() if name != "COLUMNS"}
    with subprocess.Popen(command, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        seen = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    assert process.returncode == 0
    return seen.decode()


def _read(terminal: int) -> bytes:
    """Read what there is; a terminal nobody writes to any more says so with an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_on_a_terminal_a_spinner_turns_while_the_daemon_starts(
    environ: dict[str, str], tmp_path: Path
) -> None:
    home = ["--data-dir", str(tmp_path / "data")]
    budget = [sys.executable, "-P", "-m", "daemon"]

    seen = on_terminal([*budget, "up", "--port", "0", *home], environ, 80)
    stopped = on_terminal([*budget, "down", *home], environ, 80)

    assert "starting the daemon" in seen
    assert seen.replace("\r", "").count("✓ ready on http://127.0.0.1:") == 1
    assert "✓ stopped" in stopped

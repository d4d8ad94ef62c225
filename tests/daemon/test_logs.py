"""The log: readable, unforgeable, silent about secrets, and never in the way."""

import json
import logging
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon import logs
from protocols.redact import redact

ROOT = Path(__file__).parents[2]
SECRET = "Zm9vYmFyYmF6" * 4
log = logging.getLogger("budget.test")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root, budget = logging.root, logging.getLogger("budget")
    before = (root.handlers[:], root.level, budget.level, logging.raiseExceptions)
    yield
    root.handlers[:], root.level, budget.level, logging.raiseExceptions = before


@pytest.fixture
def fd(tmp_path: Path) -> Iterator[int]:
    opened = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    yield opened
    os.close(opened)


def written(fd: int) -> str:
    return os.pread(fd, 1_000_000, 0).decode()


def fail(why: str) -> None:
    raise ValueError(why)


def test_a_file_gets_one_json_object_a_line(fd: int) -> None:
    logs.set_up("info", "auto", fd)

    log.info("settled", extra={"component": "apollo", "cost_usd": "0.01", "tokens": 3})
    log.debug("unheard")
    logging.getLogger("elsewhere").info("unheard")
    logging.getLogger("elsewhere").warning("heard %d", 1)

    first, second = (json.loads(line) for line in written(fd).splitlines())
    assert first.pop("at").endswith("Z")
    assert first == {
        "level": "info",
        "logger": "budget.test",
        "event": "settled",
        "component": "apollo",
        "cost_usd": "0.01",
        "tokens": 3,
    }
    assert second["event"] == "heard 1"


def test_a_terminal_gets_words() -> None:
    reader, terminal = pty.openpty()
    os.set_blocking(reader, False)
    logs.set_up("info", "auto", terminal)

    log.info("settled", extra={"component": "apollo", "note": "a b"})

    line = os.read(reader, 4096).decode()
    os.close(terminal)
    os.close(reader)
    assert line.rstrip().endswith('Z info    budget.test settled component=apollo note="a b"')


@pytest.mark.parametrize("form", ["human", "json"])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"tkb_abcd_123_{SECRET}", SECRET),
        (f"token_tkb_abcd-123_{SECRET}", SECRET),
        ("tkb_cut", "cut"),
        (f"key=sk-proj-{SECRET}", SECRET),
        (f"line\nsk-ant-{SECRET}", SECRET),
        (f"authorization: bearer {SECRET}==", SECRET),
        (f"Bearer tkb_abcd1234_{SECRET}", SECRET),
    ],
)
def test_no_secret_is_written_wherever_it_hides(form: str, text: str, secret: str, fd: int) -> None:
    logs.set_up("info", "human" if form == "human" else "json", fd)

    log.info(text)
    log.info("as an argument: %s", text)
    log.info("as a field", extra={"field": text, "nested": {"deep": [text, {text}]}})
    try:
        fail(text)
    except ValueError:
        log.exception("as a traceback")

    assert secret not in written(fd)
    assert written(fd).count("[redacted]") >= 6


def test_the_public_id_of_a_token_stays_readable() -> None:
    assert redact(f"Bearer tkb_abcd1234_{SECRET}.") == "Bearer tkb_abcd1234_[redacted]"
    assert redact("a task-runner on disk-0") == "a task-runner on disk-0"


@pytest.mark.parametrize("form", ["human", "json"])
def test_no_value_can_forge_a_line_or_steer_a_terminal(form: str, fd: int) -> None:
    evil = "x\n12:00:00Z error budget forged\r\x1b[2J\u2028\u202e\x85"
    logs.set_up("info", "human" if form == "human" else "json", fd)

    log.info("seen %s", evil, extra={"model": evil, evil: 1})
    try:
        fail(evil)
    except ValueError:
        log.exception("failed")

    text = written(fd)
    assert not any(character in text for character in "\r\x1b\u2028\u202e\x85")
    assert not any(line.startswith("12:00:00Z error") for line in text.splitlines())
    own = [line for line in text.splitlines() if not line.startswith("    ")]
    assert len(own) == 2


def test_a_field_cannot_pass_for_another(fd: int) -> None:
    logs.set_up("info", "human", fd)

    log.info("seen", extra={"model": "x outcome=allowed"})

    assert 'model="x outcome=allowed"' in written(fd)


def test_a_record_that_cannot_be_formatted_is_dropped(fd: int) -> None:
    class Bad:
        def __str__(self) -> str:
            raise RuntimeError

    logs.set_up("info", "json", fd)

    log.info("%d", "not a number")
    log.info("%s", Bad())
    log.info("after")

    [line] = written(fd).splitlines()
    assert json.loads(line)["event"] == "after"


PROGRAM = """
import logging, sys
from daemon import logs
from protocols.redact import redact
logs.set_up("info")
for _ in range(100):
    logging.getLogger("budget").warning("x" * 1000)
print("served")
"""


@pytest.mark.parametrize("destination", ["2>/dev/full", "2>&-", "2> >(exec true)"])
def test_a_broken_destination_never_stops_the_service(destination: str) -> None:
    ran = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {destination}', sys.executable, PROGRAM],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (ran.returncode, ran.stdout) == (0, "served\n")


def test_a_log_whose_descriptor_was_closed_never_lands_in_a_file_of_ours(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    program = f"import os; logs.set_up('info'); os.open({str(journal)!r}, os.O_WRONLY | os.O_CREAT)"
    program = PROGRAM.replace('logs.set_up("info")', program)

    subprocess.run(
        ["bash", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, program],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )

    assert journal.read_bytes() == b""

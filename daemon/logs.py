"""The log: human lines on a terminal, JSON lines otherwise, and no secret in either.

A line is one `write`, so a destination that is full or closed costs that line and nothing else.
"""

import json
import logging
import os
import re
from typing import Literal

from protocols.period import rfc3339
from protocols.redact import escape, redact

_BARE = re.compile(r"[\w.:/@+%-]+")
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""What every record carries; anything else came with `extra=`."""


def set_up(
    level: str = "info", form: Literal["auto", "human", "json"] = "auto", fd: int = 2
) -> None:
    """Log what is ours from `level` on, and the warnings of libraries, to `fd` (stderr)."""
    human = form == "human" or (form == "auto" and os.isatty(fd))
    handler = Lines(_open(fd))
    handler.setFormatter(Human() if human else Json())
    logging.raiseExceptions = False
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(logging.WARNING)
    logging.getLogger("budget").setLevel(level.upper())


class Lines(logging.Handler):
    """Writes each record with one system call, unbuffered; what cannot be written is lost."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self.fd = fd

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(self.fd, f"{self.format(record)}\n".encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001  a log line never stops the service
            self.handleError(record)


class Json(logging.Formatter):
    """One JSON object a line, ASCII only."""

    def format(self, record: logging.LogRecord) -> str:
        own = {
            "at": rfc3339(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if record.exc_info:
            own["exception"] = self.formatException(record.exc_info)
        return json.dumps(_clean(own | {k: v for k, v in _extra(record) if k not in own}))


class Human(logging.Formatter):
    """`12:00:01Z info    budget.ledger settled usd=0.012`; a traceback is indented below."""

    def format(self, record: logging.LogRecord) -> str:
        at = rfc3339(int(record.created * 1000))[11:19]
        words = [f"{at}Z {record.levelname.lower():7}", record.name, record.getMessage()]
        words += [f"{name}={_quoted(str(_clean(value)))}" for name, value in _extra(record)]
        lines = [" ".join(words)]
        if record.exc_info:
            lines += self.formatException(record.exc_info).splitlines()
        return "\n    ".join(escape(redact(line)) for line in lines)


def _open(fd: int) -> int:
    """Leave a closed descriptor alone: its number may be given to something else."""
    try:
        os.fstat(fd)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
    return fd


def _extra(record: logging.LogRecord) -> list[tuple[str, object]]:
    return [(name, value) for name, value in vars(record).items() if name not in _STANDARD]


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def _clean(value: object) -> object:
    """Redact before anything is escaped: after an escape a pattern is not recognised."""
    match value:
        case dict():
            return {str(name): _clean(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case None | bool() | int() | float():
            return value
        case _:
            return redact(str(value))

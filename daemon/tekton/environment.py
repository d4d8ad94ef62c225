"""Tekton's environment, read as its components read it, and what it means for us.

With `TEKTON_ROOT` set, `~/.env`, `.env.tekton` and `.env.local` of the root go over the process's
own variables, each over the one before, until somebody has frozen them for the children.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

OURS: Final = ("BUDGET_", "PENIA_", "HERMES_", "TEKTON_")
"""Only what begins so is taken from the files: others' secrets are not ours to know."""
FROZEN: Final = "_TEKTON_ENV_FROZEN"
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_LEVELS = {"TRACE": "debug", "WARN": "warning", "FATAL": "error"}
_HERMES_PORT = "8001"


def environment(environ: Mapping[str, str], read: Callable[[Path], str | None]) -> dict[str, str]:
    """The variables to add to, or put over, those of the process."""
    found = {**environ, **_written(environ, read)}
    told = found | _meant(found)
    return {name: text for name, text in told.items() if environ.get(name) != text}


def read(path: Path) -> str | None:
    """A file's text; None if there is none that can be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


def _written(environ: Mapping[str, str], read: Callable[[Path], str | None]) -> dict[str, str]:
    root = environ.get("TEKTON_ROOT")
    if not root or environ.get(FROZEN) == "1":
        return {}
    home = Path(environ.get("HOME") or Path.home())
    found: dict[str, str] = {FROZEN: "1"}
    for path in (home / ".env", Path(root) / ".env.tekton", Path(root) / ".env.local"):
        found |= dict(_variables(read(path) or ""))
    return found


def _variables(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        parts = _LINE.fullmatch(line)
        if parts is not None and parts[1].startswith(OURS):
            yield parts[1], _unquoted(parts[2])


def _unquoted(text: str) -> str:
    quote = text[:1]
    if quote in ("'", '"') and (end := text.find(quote, 1)) > 0:
        return text[1:end]
    return text.partition(" #")[0].rstrip()


def _meant(environ: Mapping[str, str]) -> dict[str, str]:
    """Our own variables, where only Tekton's say something."""
    meant: dict[str, str] = {}
    if level := environ.get("TEKTON_LOG_LEVEL", "").upper():
        meant["BUDGET_LOG_LEVEL"] = _LEVELS.get(level, level.lower())
    if environ.get("TEKTON_LOG_FORMAT", "").lower() == "json":
        meant["BUDGET_DAEMON__LOG_FORMAT"] = "json"
    if "HERMES_PORT" in environ or "HERMES_HOST" in environ:
        host = environ.get("HERMES_HOST") or environ.get("TEKTON_HOST") or "localhost"
        meant["HERMES_URL"] = f"http://{host}:{environ.get('HERMES_PORT') or _HERMES_PORT}"
    if meant.get("BUDGET_LOG_LEVEL") not in (None, "debug", "info", "warning", "error"):
        del meant["BUDGET_LOG_LEVEL"]
    return {name: text for name, text in meant.items() if not environ.get(name)}

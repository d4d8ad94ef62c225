"""Finds `budget.toml` and reads it; what it means is checked elsewhere."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from daemon.config.problems import ConfigError, Problem

BYTES_MAX = 1_048_576


def home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def xdg(environ: Mapping[str, str], kind: str, usual: str) -> Path:
    """Our directory below `$XDG_<kind>_HOME`; a relative one does not count, says the standard."""
    named = Path(environ.get(f"XDG_{kind}_HOME", ""))
    return (named if named.is_absolute() else home(environ) / usual) / "tekton-budget"


def find(named: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Choose the file. One that was named must be there; the usual ones may be absent."""
    if named is not None:
        return named
    if config := environ.get("BUDGET_CONFIG"):
        return Path(config)
    usual = (Path("budget.toml"), xdg(environ, "CONFIG", ".config") / "config.toml")
    return next((place for place in usual if place.exists()), None)


def read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(BYTES_MAX + 1)
    except OSError as error:
        remedy = "name another file with --config, or make this one readable"
        raise _refusal(path, f"cannot be read: {error.strerror}", remedy) from None
    if len(content) > BYTES_MAX:
        raise _refusal(path, f"is larger than {BYTES_MAX} bytes", "is it the right file?")
    return _parse(path, content)


def _parse(path: Path, content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(f"{path}: line {line}", "is not UTF-8", "save the file as UTF-8") from None
    except RecursionError:
        raise _refusal(path, "is nested too deeply", "write it flatter") from None
    except ValueError as error:
        what, _, place = str(error).removesuffix(")").partition(" (at ")
        where = f"{path}: {place}" if place else path
        raise _refusal(
            where, f"is not TOML: {what}", "mend it there; see https://toml.io"
        ) from None


def _refusal(where: object, what: str, remedy: str) -> ConfigError:
    return ConfigError([Problem(str(where), what, remedy)])

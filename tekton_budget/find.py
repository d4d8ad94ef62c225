"""Which daemon is meant, and which token it wants: found without being told."""

import ipaddress
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tekton_budget.errors import Unauthenticated

DEFAULT_PORT = "8013"


class Running(NamedTuple):
    """What a running daemon writes beside its journal."""

    url: str | None
    socket: str | None
    pid: int
    version: str
    tls_cert: str | None = None

    @property
    def address(self) -> str:
        return self.url or f"unix:{self.socket}"


class Place(NamedTuple):
    """Where a daemon is (`http://…`, `https://…` or `unix:/path`), and the token for it.

    `pinned` is the file of its own certificate, where that is known.
    """

    url: str
    token: str | None
    pinned: str | None = None


def find(
    environ: Mapping[str, str] = os.environ,
    *,
    url: str | None = None,
    token: str | None = None,
    data_dir: Path | None = None,
) -> Place:
    """Find the daemon and the token for it. Raises `Unauthenticated` for an unreadable file."""
    home = data_dir or default_data_dir(environ)
    socket = environ.get("BUDGET_SOCKET")
    named = url or environ.get("BUDGET_URL") or (f"unix:{socket}" if socket else None)
    there = named or address(environ, home)
    note = None if named else running(home)
    ours = note is not None and there == note.url
    pinned = note.tls_cert if note is not None and ours else None
    try:
        return Place(there, token or find_token(environ, there, home, ours=ours), pinned)
    except OSError as problem:
        raise Unauthenticated(
            f"cannot read the token file {problem.filename}: {problem.strerror}",
            hint="set BUDGET_TOKEN, or BUDGET_TOKEN_FILE to another",
        ) from None


def address(environ: Mapping[str, str], data_dir: Path) -> str:
    """Where the daemon of this data directory is, if it runs; else the usual port.

    Its unix socket goes before its port: nobody else on the machine can stand there.
    """
    note = running(data_dir)
    if note is not None and note.socket and (note.url is None or Path(note.socket).exists()):
        return f"unix:{note.socket}"
    if note is not None and note.url:
        return note.url
    port = environ.get("BUDGET_PORT") or environ.get("PENIA_PORT") or DEFAULT_PORT
    return f"http://127.0.0.1:{port}"


def default_data_dir(environ: Mapping[str, str]) -> Path:
    """Find the data directory as the daemon does: environment, `budget.toml`, the usual place."""
    for name in ("BUDGET_DATA_DIR", "BUDGET_DAEMON__DATA_DIR"):
        if told := environ.get(name):
            return _expanded(told, environ, Path.cwd())
    for place in _config_files(environ):
        told = _written_data_dir(place)
        if told:
            return _expanded(told, environ, place.absolute().parent)
    return usual_data_dir(environ)


def usual_data_dir(environ: Mapping[str, str]) -> Path:
    """Where nobody says otherwise: beside Tekton's other components, else where XDG has it."""
    if told := environ.get("TEKTON_DATA_DIR"):
        return _expanded(told, environ, Path.cwd()) / "budget"
    if root := environ.get("TEKTON_ROOT"):
        return _expanded(root, environ, Path.cwd()) / ".tekton" / "data" / "budget"
    return xdg(environ, "DATA", ".local/share")


def _config_files(environ: Mapping[str, str]) -> list[Path]:
    """Name the one file the daemon would read."""
    if named := environ.get("BUDGET_CONFIG"):
        return [Path(named)]
    usual = (Path("budget.toml"), xdg(environ, "CONFIG", ".config") / "config.toml")
    return [place for place in usual if place.is_file()][:1]


def _written_data_dir(place: Path) -> str | None:
    """Read `[daemon] data_dir`. What is wrong with the file is `budget config check`'s business."""
    try:
        written = tomllib.loads(place.read_text(encoding="utf-8-sig"))["daemon"]["data_dir"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return written if isinstance(written, str) else None


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def xdg(environ: Mapping[str, str], kind: str, usual: str) -> Path:
    """Our own part of one of the directories that XDG names."""
    named = Path(environ.get(f"XDG_{kind}_HOME", ""))
    return (named if named.is_absolute() else _home(environ) / usual) / "tekton-budget"


def _expanded(text: str, environ: Mapping[str, str], base: Path) -> Path:
    at_home = text == "~" or text.startswith("~/")
    return _home(environ) / text[2:] if at_home else base / text


def running(data_dir: Path) -> Running | None:
    """Read what the daemon of this data directory wrote when it was ready."""
    try:
        note = json.loads((data_dir / "daemon.json").read_text(encoding="utf-8"))
        return Running(
            note["url"], note.get("socket"), int(note["pid"]), str(note["version"]),
            note.get("tls_cert"),
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_token(
    environ: Mapping[str, str],
    url: str,
    data_dir: Path,
    token_file: Path | None = None,
    *,
    ours: bool = False,
) -> str | None:
    """Find the token: the one named, else this machine's own, which never leaves it.

    `ours`: the daemon of this data directory said itself that this is its address. Raises OSError
    when the file that was named cannot be read.
    """
    if token_file is None and (token := environ.get("BUDGET_TOKEN")):
        return token
    if named := token_file or environ.get("BUDGET_TOKEN_FILE"):
        return Path(named).read_text(encoding="utf-8").strip()
    if not (ours or is_local(url)):
        return None
    try:
        return (data_dir / "token").read_text(encoding="utf-8").strip()
    except OSError:
        return None


def is_local(url: str) -> bool:
    """Tell whether an address stays on this machine."""
    if url.startswith("unix:"):
        return True
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

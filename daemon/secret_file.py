"""A file with one secret: made by the daemon where it is missing, refused where others can read."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from daemon.config.problems import ConfigError, Problem


class NotPrivate(ConfigError):
    """A secret lies where others can read or plant it."""

    exit_code: ClassVar[int] = 77


def private_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.stat()
    except OSError as error:
        what = f"cannot be made: {error.strerror}"
        raise NotPrivate([Problem(str(path), what, "choose another with --data-dir")]) from None
    _owned(path, state)
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotPrivate([Problem(str(path), "can be written by others", f"chmod 700 {path}")])


def read_or_make(path: Path, make: Callable[[], str], known: re.Pattern[str], what: str) -> str:
    """The secret; a new one where there is no file. Raises NotPrivate, ConfigError."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{make()}\n")
    except FileExistsError:
        pass
    except OSError as error:
        problem = f"cannot be made: {error.strerror}"
        raise NotPrivate([Problem(str(path), problem, "let the daemon write there")]) from None
    secret = read_private(path)
    if not known.fullmatch(secret):
        remedy = "delete it; the next start makes a new one"
        raise ConfigError([Problem(str(path), f"holds no {what}", remedy)])
    return secret


def read_private(path: Path) -> str:
    """What stands in a file that only its owner may read."""
    try:
        with path.open("rb") as file:
            state, content = os.fstat(file.fileno()), file.read(65_536)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise NotPrivate([Problem(str(path), what, f"chmod 600 {path}")]) from None
    _owned(path, state)
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotPrivate([Problem(str(path), "is open to other users", f"chmod 600 {path}")])
    return content.decode("utf-8", "replace").strip()


def _owned(path: Path, state: os.stat_result) -> None:
    """Refuse what another user owns: they could read it at any time."""
    if state.st_uid not in (os.geteuid(), 0):
        raise NotPrivate([Problem(str(path), "belongs to another user", f"chown it: {path}")])

"""Token files, made at first start: the admin's, and that of each `[[token]]` of `budget.toml`.

They lie in `<data_dir>/token` and `<data_dir>/tokens/<name>`. Such a caller is revoked by removing
its `[[token]]`; a secret is renewed by deleting its file. Both take effect at the next start.
"""

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar

from actors.tokens.known import ID, TOKEN, Known, KnownTokens, digest, new_token
from daemon.config.problems import ConfigError, Problem
from daemon.config.settings import Token
from protocols.message import Caller


class NotPrivate(ConfigError):
    """A secret lies where others can read or plant it."""

    exit_code: ClassVar[int] = 77


def known_tokens(data_dir: Path, tokens: Iterable[Token], now_ms: Callable[[], int]) -> KnownTokens:
    """Read the token files, making those that are missing. Raises NotPrivate, ConfigError."""
    admin = data_dir / "token"
    known = KnownTokens(
        f"send `Authorization: Bearer <token>`; the admin token is in {admin} and those of other "
        f"callers are in {admin}s, on the daemon's machine; `budget token new` makes more",
        now_ms,
    )
    _private_directory(data_dir)
    _private_directory(data_dir / "tokens")
    _learn(known, admin, Caller("admin", "admin"))
    for token in tokens:
        scope = frozenset(token.components) or None
        _learn(known, data_dir / "tokens" / token.name, Caller(token.name, token.role, scope))
    return known


def _learn(known: KnownTokens, path: Path, caller: Caller) -> None:
    token = _read_or_make(path)
    if token[ID] in known.by_id:
        remedy = "delete it; the next start makes a new one"
        raise ConfigError([Problem(str(path), "is a copy of another token file", remedy)])
    known.learn(Known(token[ID], digest(token), caller, str(path)))


def _private_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = path.stat()
    except OSError as error:
        what = f"cannot be made: {error.strerror}"
        raise NotPrivate([Problem(str(path), what, "choose another with --data-dir")]) from None
    _owned(path, state)
    if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise NotPrivate([Problem(str(path), "can be written by others", f"chmod 700 {path}")])


def _read_or_make(path: Path) -> str:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{new_token()}\n")
    except FileExistsError:
        pass
    except OSError as error:
        what = f"cannot be made: {error.strerror}"
        raise NotPrivate([Problem(str(path), what, "let the daemon write there")]) from None
    return _read(path)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            state, content = os.fstat(file.fileno()), file.read(1024)
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise NotPrivate([Problem(str(path), what, f"chmod 600 {path}")]) from None
    _owned(path, state)
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise NotPrivate([Problem(str(path), "is open to other users", f"chmod 600 {path}")])
    token = content.decode("ascii", "replace").strip()
    if not TOKEN.fullmatch(token):
        remedy = "delete it; the next start makes a new one"
        raise ConfigError([Problem(str(path), "holds no token", remedy)])
    return token


def _owned(path: Path, state: os.stat_result) -> None:
    """Refuse what another user owns: they could read it at any time."""
    if state.st_uid not in (os.geteuid(), 0):
        raise NotPrivate([Problem(str(path), "belongs to another user", f"chown it: {path}")])

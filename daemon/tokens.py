"""Who may call: token files, made at first start, and the question whose token this is.

The admin token lies in `<data_dir>/token`, that of each `[[token]]` in `<data_dir>/tokens/<name>`.
A caller is revoked by removing its `[[token]]`; a secret is renewed by deleting its file. Both
take effect at the next start.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, NamedTuple

from daemon.config.problems import ConfigError, Problem
from daemon.config.settings import Token
from protocols.errors import Unauthenticated
from protocols.message import Caller

SCHEME = "Bearer "
ID = slice(4, 12)
"""Where the public id stands in a token."""
_TOKEN = re.compile(r"tkb_[A-Za-z0-9_-]{8}_[A-Za-z0-9_-]{43}")


class NotPrivate(ConfigError):
    """A secret lies where others can read or plant it."""

    exit_code: ClassVar[int] = 77


class _Known(NamedTuple):
    digest: bytes
    caller: Caller


class Tokens:
    """Every valid token, as digests."""

    def __init__(self, data_dir: Path, tokens: Iterable[Token] = ()) -> None:
        """Read the token files, making those that are missing. Raises NotPrivate, ConfigError."""
        self.admin_file = data_dir / "token"
        self._by_id: dict[str, _Known] = {}
        _private_directory(data_dir)
        _private_directory(data_dir / "tokens")
        self._learn(self.admin_file, Caller("admin", "admin"))
        for token in tokens:
            scope = frozenset(token.components) or None
            self._learn(data_dir / "tokens" / token.name, Caller(token.name, token.role, scope))

    def caller(self, authorization: str | None) -> Caller:
        """Say who sent this `Authorization` header, or refuse."""
        if authorization is None or authorization[: len(SCHEME)].lower() != "bearer ":
            raise self._refusal("the request carries no bearer token")
        token = authorization[len(SCHEME) :].strip(" ")
        known = self._by_id.get(token[ID])
        if known is None or not hmac.compare_digest(_digest(token), known.digest):
            if _TOKEN.fullmatch(token):
                raise self._refusal("the token is not one of this daemon's")
            raise self._refusal("what the request carries is no token of a budget daemon")
        return known.caller

    def _learn(self, path: Path, caller: Caller) -> None:
        token = _read_or_make(path)
        if token[ID] in self._by_id:
            remedy = "delete it; the next start makes a new one"
            raise ConfigError([Problem(str(path), "is a copy of another token file", remedy)])
        self._by_id[token[ID]] = _Known(_digest(token), caller)

    def _refusal(self, detail: str) -> Unauthenticated:
        return Unauthenticated(
            detail,
            hint=f"send `Authorization: Bearer <token>`; the admin token is in {self.admin_file} "
            f"and those of other callers are in {self.admin_file}s, on the daemon's machine",
        )


def new_token() -> str:
    """`tkb_<id>_<secret>`: a public id of 8 characters, a secret of 256 bits."""
    return f"tkb_{secrets.token_urlsafe(6)}_{secrets.token_urlsafe(32)}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


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
    if not _TOKEN.fullmatch(token):
        remedy = "delete it; the next start makes a new one"
        raise ConfigError([Problem(str(path), "holds no token", remedy)])
    return token


def _owned(path: Path, state: os.stat_result) -> None:
    """Refuse what another user owns: they could read it at any time."""
    if state.st_uid not in (os.geteuid(), 0):
        raise NotPrivate([Problem(str(path), "belongs to another user", f"chown it: {path}")])

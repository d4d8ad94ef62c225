"""Token files, made at first start: the admin's, and that of each `[[token]]` of `budget.toml`.

They lie in `<data_dir>/token` and `<data_dir>/tokens/<name>`. Such a caller is revoked by removing
its `[[token]]`; a secret is renewed by deleting its file. Both take effect at the next start.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from actors.tokens.known import ID, TOKEN, Known, KnownTokens, digest, new_token
from daemon.config.problems import ConfigError, Problem
from daemon.config.settings import Token
from daemon.secret_file import NotPrivate, private_directory, read_or_make
from protocols.message import Caller
from protocols.tokens import PAGE


def known_tokens(data_dir: Path, tokens: Iterable[Token], now_ms: Callable[[], int]) -> KnownTokens:
    """Read the token files, making those that are missing. Raises NotPrivate, ConfigError."""
    admin = data_dir / "token"
    known = KnownTokens(
        f"send `Authorization: Bearer <token>`; the admin token is in {admin} and those of other "
        f"callers are in {admin}s, on the daemon's machine; `budget token new` makes more",
        now_ms,
    )
    private_directory(data_dir)
    private_directory(data_dir / "tokens")
    _learn(known, admin, Caller("admin", "admin"))
    for token in tokens:
        scope = frozenset(token.components) or None
        _learn(known, data_dir / "tokens" / token.name, Caller(token.name, token.role, scope))
    return known


def page_token(known: KnownTokens, role: str) -> str | None:
    """A token for pages that bring none, for as long as this process lives; never written down."""
    if role == "none":
        return None
    token = new_token()
    known.learn(Known(token[ID], digest(token), Caller(PAGE, role), "page_role"))
    return token


def _learn(known: KnownTokens, path: Path, caller: Caller) -> None:
    token = read_or_make(path, new_token, TOKEN, "token")
    if token[ID] in known.by_id:
        remedy = "delete it; the next start makes a new one"
        raise ConfigError([Problem(str(path), "is a copy of another token file", remedy)])
    known.learn(Known(token[ID], digest(token), caller, str(path)))


__all__ = ["NotPrivate", "known_tokens"]

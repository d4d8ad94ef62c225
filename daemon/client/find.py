"""Which daemon the command line means, and which token it wants: as every caller finds them."""

from collections.abc import Mapping
from pathlib import Path

from daemon.client.call import Client
from protocols.errors import Unauthenticated
from tekton_budget import find as caller
from tekton_budget.find import address, default_data_dir, is_local, running

__all__ = ["default_data_dir", "find", "find_token", "is_local", "running"]


def find(
    environ: Mapping[str, str],
    *,
    url: str | None = None,
    socket_path: str | None = None,
    data_dir: Path | None = None,
    token_file: Path | None = None,
) -> Client:
    """Find the daemon: the one named, else this data directory's, else the usual port."""
    home = data_dir or default_data_dir(environ)
    named = url or (f"unix:{socket_path}" if socket_path else None)
    there = named or address(environ, home)
    note = None if named else running(home)
    ours = note is not None and there == note.url
    token = find_token(environ, there, home, token_file, ours=ours)
    return Client(there, token, pinned=note.tls_cert if note is not None and ours else None)


def find_token(
    environ: Mapping[str, str],
    url: str,
    data_dir: Path,
    token_file: Path | None = None,
    *,
    ours: bool = False,
) -> str | None:
    """Raises `Unauthenticated` when the file that was named cannot be read."""
    try:
        return caller.find_token(environ, url, data_dir, token_file, ours=ours)
    except OSError as problem:
        raise Unauthenticated(
            f"cannot read the token file {problem.filename}: {problem.strerror}",
            hint="name another with --token-file, or set BUDGET_TOKEN",
        ) from None

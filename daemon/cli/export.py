"""`budget export`: the whole journal as lines of JSON, for anybody's tools and for `import`."""

import os
import sys
from pathlib import Path
from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.journal import DONE, Offline, Progress, database, faults, load, watched
from daemon.cli.verb import Console


@click.command(cls=Offline)
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def export(console: Console, /, file: Path | None) -> None:
    """Write every entry and idempotency record to FILE, or to stdout. The daemon may be at work.

    A header first, then one JSON object a line. `budget import journal` reads it.
    """
    with faults(), watched() as progress:
        if file is None:
            load("export").export(database(console), sys.stdout, progress)
            return
        last, keys = _to(file, console, progress)
    reply = {"file": str(file), "entries": last.seq, "last": str(last), "idempotency_keys": keys}
    told = f"{units.count(last.seq, 'entries')}, {units.count(keys, 'idempotency keys')}"
    console.answer(reply, lambda: f"{DONE} {file}: {told}\n  last  {last}")


def _to(file: Path, console: Console, progress: Progress) -> tuple[Any, int]:
    """Nothing is left of an export that did not get through."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Stop(f"cannot write {file}: {error.strerror}", exit_code=73) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            last, keys = load("export").export(database(console), out, progress)
            return last, keys
    except BaseException:
        file.unlink()
        raise

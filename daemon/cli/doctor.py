"""`budget doctor`: look for what could be wrong, and say how to mend it."""

import json
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

import click

import daemon
from daemon import client
from daemon.cli import units
from daemon.cli.answer import Stop
from daemon.cli.journal import load
from daemon.cli.settings import settings_from
from daemon.cli.verb import Console, Verb
from daemon.clock import SystemClock
from protocols.errors import BudgetError, Unavailable

OURS = "tekton-budget"
NAMES = ("protocols", "actors", "daemon", "tekton_budget", "budget")
SQLITE_SOUND = (3, 51, 3)
"""Older ones can lose a WAL file's end when two connections checkpoint and write at once."""
PRICES_OLD = timedelta(days=60)
OTHERS = stat.S_IRWXG | stat.S_IRWXO
MARKS = {"good": ("✓", "green"), "care": ("!", "yellow"), "bad": ("✗", "red")}


class Finding(NamedTuple):
    """One line: `good`, `care` or `bad`, what was seen, what to do about it."""

    state: str
    what: str
    remedy: str | None = None


@click.command(cls=Verb)
@click.pass_obj
def doctor(console: Console, /) -> int:
    """Look at everything this machine needs. Exit code 1 if something is wrong."""
    home = console.where["data_dir"] or client.default_data_dir(os.environ)
    findings = [
        *_configuration(),
        *_data_dir(home),
        *_token(home),
        *_archive(home),
        *_daemon(console),
        _prices(),
        _sqlite(),
        *_names(),
    ]
    reply = {"items": [finding._asdict() for finding in findings]}
    console.answer(reply, lambda: "\n".join(map(_line, findings)))
    return int(any(finding.state == "bad" for finding in findings))


def _line(finding: Finding) -> str:
    mark, colour = MARKS[finding.state]
    remedy = f"\n    {finding.remedy}" if finding.remedy else ""
    return f"{click.style(mark, fg=colour)} {finding.what}{remedy}"


def _configuration() -> Iterator[Finding]:
    try:
        settings = settings_from()
    except Stop as stop:
        yield Finding("bad", stop.detail, "; ".join(line.strip() for line in stop.lines))
        return
    policies = len(settings.policies)
    if settings.path is None:
        yield Finding(
            "care", "no budget.toml: only policies set by command limit anything", "write one"
        )
    else:
        yield Finding("good", f"{settings.path}: {policies} policies, no mistakes")


def _data_dir(home: Path) -> Iterator[Finding]:
    try:
        state = home.stat()
    except OSError as problem:
        yield Finding("care", f"{home}: {problem.strerror}", "`budget up` makes it")
        return
    if state.st_uid != os.geteuid():
        yield Finding("bad", f"{home} belongs to another user", f"chown -R {os.geteuid()} {home}")
    elif state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Finding("bad", f"{home} can be written by others", f"chmod 700 {home}")
    else:
        yield Finding("good", f"{home} is ours alone")


def _token(home: Path) -> Iterator[Finding]:
    path = home / "token"
    try:
        mode = path.stat().st_mode
    except OSError:
        if home.is_dir():
            yield Finding("care", f"no token in {home}", "the daemon makes one at its first start")
        return
    if mode & OTHERS:
        yield Finding("bad", f"{path} is open to other users", f"chmod 600 {path}")
    else:
        yield Finding("good", f"{path} is private")


def _archive(home: Path) -> Iterator[Finding]:
    """Read every sealed month whole: it must be as it was sealed."""
    path = home / load("files").DATABASE
    if not path.exists():
        return
    try:
        with closing(load("files").connect_reader(path)) as db:
            found = list(load("archive.check").changed_files(db))
            months = load("archive.sealed").sealed(db)
    except sqlite3.Error as error:
        yield Finding("bad", f"{path} cannot be read: {error}", "`budget verify` says more")
        return
    for what, _, remedy in (problem.rpartition("; ") for problem in found):
        yield Finding("bad", what, remedy)
    if months and not found:
        yield Finding("good", f"{units.count(len(months), 'archived months')} as they were sealed")


def _daemon(console: Console) -> Iterator[Finding]:
    try:
        health = console.client.get("/health")
        console.client.get("/status")
    except Unavailable as nobody:
        yield Finding("care", nobody.detail, nobody.hint)
        return
    except BudgetError as error:
        yield Finding("bad", error.detail, error.hint)
        return
    state = "good" if health["status"] == "healthy" else "bad"
    yield Finding(state, f"the daemon on {console.client.url} is {health['status']}")
    if health["version"] != version(OURS):
        yield Finding(
            "care",
            f"the daemon is {health['version']}, this command {version(OURS)}",
            "restart it: `budget down`, then `budget up`",
        )


def _prices() -> Finding:
    book: dict[str, Any] = json.loads(
        (Path(daemon.__file__).parent / "prices" / "book.json").read_bytes()
    )
    dated = datetime.fromisoformat(book["dated"]).replace(tzinfo=UTC)
    now = datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC)
    days = (now - dated).days
    what = (
        f"prices of {dated:%d %b %Y}, {max(days, 0)} days old, {book['counts']['models']:,} models"
    )
    if now - dated > PRICES_OLD:
        return Finding("care", what, "update: pip install --upgrade tekton-budget")
    return Finding("good", what)


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info < SQLITE_SOUND:
        return Finding(
            "care",
            f"SQLite {sqlite3.sqlite_version} is older than {'.'.join(map(str, SQLITE_SOUND))}",
            "two connections can break its log; a newer build of Python has a newer SQLite",
        )
    return Finding("good", f"SQLite {sqlite3.sqlite_version}")


def _names() -> Iterator[Finding]:
    """Whoever else owns one of our import names can break us, and we them."""
    owners = packages_distributions()
    strangers = {name: sorted({*owners.get(name, ())} - {OURS}) for name in NAMES}
    found = {name: who for name, who in strangers.items() if who}
    for name, who in found.items():
        yield Finding(
            "bad",
            f"the import name {name} also belongs to {', '.join(who)}",
            f"pip uninstall {' '.join(who)}, or install {OURS} in an environment of its own",
        )
    if not found:
        yield Finding("good", f"the import names {', '.join(NAMES)} are ours alone")

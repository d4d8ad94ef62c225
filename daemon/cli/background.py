"""`budget up` and `budget down`: the daemon in the background."""

import os
from pathlib import Path
from typing import Any

import click

from daemon import client
from daemon.cli.answer import Stop
from daemon.cli.process import answering, log_of, start, stop
from daemon.cli.settings import daemon_flags, flags_as_typed, settings_from, tell_notes


@click.command()
@daemon_flags
def up(config_file: Path | None, **flags: Any) -> None:
    """Start the daemon in the background and wait until it is ready. Running already is fine."""
    settings = settings_from(config_file, **flags)
    tell_notes(settings)
    home = settings.data_dir
    there = answering(home)
    news = "already running" if there else "ready"
    if there is None:
        there = start(home, flags_as_typed(config_file, **flags | {"data_dir": home}))
    click.echo(
        f"{click.style(f'✓ {news}', fg='green')} on {there.url or there.socket} "
        f"(pid {there.pid}, version {there.version})"
    )
    click.echo(f"  data  {home}")
    click.echo(f"  log   {log_of(home)}")
    click.echo("  next  budget status · budget policy set --help · budget down")


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), envvar="BUDGET_DATA_DIR",
    help="Whose daemon to stop.",
)  # fmt: skip
def down(data_dir: Path | None) -> None:
    """Stop the daemon. What is under way is finished first; holds stay in the journal."""
    home = data_dir or client.default_data_dir(os.environ)
    there = answering(home)
    if there is None:
        click.echo(f"no daemon is running for {home}")
        return
    _check_it_is_the_one(there, home)
    stop(there.pid, home)
    click.echo(f"{click.style('✓ stopped', fg='green')} (pid {there.pid})")


def _check_it_is_the_one(there: client.Running, home: Path) -> None:
    """Ask with this directory's own token, so that a stale note never ends a stranger."""
    token = client.find_token({}, there.address, home, ours=True)
    with client.Client(there.address, token, pinned=there.tls_cert) as asked:
        pid = asked.get("/status").get("pid", there.pid)
    if pid != there.pid:
        raise Stop(
            f"{there.address} is pid {pid}, not the {there.pid} of {home / 'daemon.json'}",
            "end it yourself: the note is older than the daemon",
        )

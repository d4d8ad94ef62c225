"""`budget serve`: the daemon in the foreground, for terminals, systemd and containers."""

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import anyio
import click

from daemon.cli.settings import ACCEPT_LOSS, daemon_flags, misconfigured, settings_from, tell_notes
from daemon.config import ConfigError


@click.command()
@daemon_flags
@ACCEPT_LOSS
def serve(config_file: Path | None, *, accept_loss: bool, **flags: Any) -> int:
    """Run the daemon until SIGTERM or Ctrl-C. One line on stderr says when it is ready."""
    settings = settings_from(config_file, **flags)
    tell_notes(settings)
    run = import_module("daemon.run").run  # the server's libraries are nobody else's business
    try:
        faster = {"use_uvloop": find_spec("uvloop") is not None}  # the extra `speed`
        live = partial(run, settings, accept_loss=accept_loss)
        code: int = anyio.run(live, backend_options=faster)
    except ConfigError as error:
        raise misconfigured(error) from None
    return code

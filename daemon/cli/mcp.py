"""`budget mcp`: the daemon's MCP server on stdin and stdout, for clients that start a program."""

import os
import sys
from typing import Any

import click

from daemon import client
from daemon.cli.verb import WHERE
from daemon.client.pump import Pump


class Piped(click.Command):
    """A verb whose stdout belongs to another program: nothing is printed there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += WHERE


@click.command(cls=Piped)
def mcp(**where: Any) -> None:
    """Pass MCP messages between a client on stdin and stdout and the running daemon.

    For clients that start their servers: `claude mcp add budget -- budget mcp`. What is sent
    while no daemon runs is answered with an error that says how to start it.
    """
    Pump(lambda: client.find(os.environ, **where), sys.stdin.buffer, sys.stdout.buffer).run()

"""`budget status`: how the daemon is, and how much of each budget is left."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.standings import standings
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
COLOURS = {"healthy": "green", "degraded": "yellow", "unhealthy": "red"}


@click.command(cls=Verb)
@click.pass_obj
def status(console: Console) -> int:
    """How the daemon is, and how much of each budget is left. Exit code 1 if it is unhealthy."""
    reply = console.client.get("/status")
    reply["balances"] = console.pages("show_balances")["items"]
    console.answer(reply, lambda: _status(console.client.url, reply))
    return 1 if reply["health"] == "unhealthy" else 0


def _status(url: str, reply: Json) -> str:
    dot = click.style("●", fg=COLOURS.get(reply["health"]))
    facts = [f"version {reply['version']}"]
    if (uptime := reply.get("uptime_s")) is not None:
        facts.append(f"up {units.lasting(uptime)}")
    if (pid := reply.get("pid")) is not None:
        facts.append(f"pid {pid}")
    lines = [f"{dot} {reply['health']}  {url}  {' · '.join(facts)}"]
    actors = [actor for actor in reply.get("actors", []) if actor["state"] != "running"]
    lines += [f"  ! {actor['name']} is {actor['state']}" for actor in actors]
    lines += [click.style(f"  {note}", dim=True) for note in reply.get("notes", [])]
    return "\n".join((*lines, "", standings(reply["balances"])))

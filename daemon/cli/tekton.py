"""`budget tekton`: our place at Hermes, and the entry for Hephaestus' registry of components."""

import json
from typing import Any

import click

from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
DESCRIPTOR: Json = {
    "id": "budget",
    "name": "Budget",
    "description": "LLM cost tracking and budget management",
    "icon": "💰",
    "defaultMode": "html",
    "capabilities": [
        "cost_tracking",
        "budget_management",
        "usage_reporting",
        "shadow_dom",
        "component_isolation",
        "chat_interface",
    ],
    "componentPath": "components/budget/budget-component.html",
    "scripts": ["scripts/budget/budget-component.js"],
    "styles": ["styles/budget/budget-component.css"],
    "usesShadowDom": True,
}
"""As Hephaestus' component_registry.json has one; the paths are those of its shipped page."""
COLOURS = {"registered": "green", "trying": "yellow", "left": "red"}


@click.group()
def tekton() -> None:
    """See how Tekton sees this daemon."""


@tekton.command("status", cls=Verb)
@click.pass_obj
def tekton_status(console: Console, /) -> int:
    """Whether we are registered at Hermes, and if not, why. Exit code 1 if we are not."""
    hermes = console.client.get("/status")["hermes"]
    reply = {"registered": hermes is not None and hermes["state"] == "registered"} | (hermes or {})
    console.answer(reply, lambda: _told(hermes))
    return 0 if reply["registered"] else 1


def _told(hermes: Json | None) -> str:
    if hermes is None:
        return "no Hermes is configured: set HERMES_URL, or url below [hermes] in budget.toml"
    dot = click.style("●", fg=COLOURS[hermes["state"]])
    lines = [f"{dot} {hermes['state']} as {hermes['name']}  {hermes['url']}"]
    if hermes["failure"]:
        lines.append(f"  {hermes['failure']}")
    if times := hermes["failures"]:
        again = f"; asked again in {hermes['next_in_s']:.0f} s" if hermes["next_in_s"] else ""
        lines.append(f"  {'once' if times == 1 else f'{times} times in a row'}{again}")
    return "\n".join(lines)


@tekton.command("ui-descriptor")
def ui_descriptor() -> None:
    """Print our entry for Hephaestus' component_registry.json."""
    click.echo(json.dumps(DESCRIPTOR, indent=2, ensure_ascii=False))

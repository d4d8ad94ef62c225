"""`budget alerts`: what somebody should look at; acknowledging; the channels they go to."""

from typing import Any

import click

from daemon.cli import units
from daemon.cli.answer import Stop, flat
from daemon.cli.events import COLOURS
from daemon.cli.table import Column, figures, render, words
from daemon.cli.verb import Console, Verb

Json = dict[str, Any]
STATES = ("open", "acknowledged", "resolved", "all")


@click.group()
def alerts() -> None:
    """See what needs looking at, say that you have, and try where alerts go."""


@alerts.command("list", cls=Verb)
@click.option("--state", type=click.Choice(STATES), default="open", show_default=True)
@click.option("--severity", type=click.Choice(tuple(COLOURS)))
@click.option("--type", "kind", help="Only these: limit.reached, or price.* for a kind.")
@click.option("--subject", help="Only about this policy, component or price source.")
@click.option("--component", help="Only this component's, and what concerns all.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, help="At most so many."
)
@click.pass_obj
def alerts_list(console: Console, /, kind: str | None, limit: int, **only: Any) -> None:
    """Alerts, the newest first; what nobody has answered unless you say otherwise."""
    reply = console.pages("list_alerts", limit, type=kind, **only)
    console.answer(reply, lambda: _table(reply["items"], only["state"]))


def _table(items: list[Json], state: str) -> str:
    if not items:
        return "  nothing is open" if state == "open" else "  there is no alert like this"
    columns = [
        *words("alert", "since", "severity", "what"),
        *figures("seen"),
        *words("state"),
        Column("ends", optional=True),
    ]
    return render(columns, [_row(alert) for alert in items])


def _row(alert: Json) -> list[str]:
    by = f" by {alert['acknowledged_by']}" if alert["acknowledged_by"] else ""
    return [
        alert["alert_id"].removeprefix("alr_").lstrip("0"),
        units.when(alert["raised_at"]),
        click.style(alert["severity"], fg=COLOURS[alert["severity"]]),
        alert["detail"],
        units.count(alert["count"], "times"),
        alert["state"] + by,
        "when seen" if alert["ends_at"] is None else units.when(alert["ends_at"]),
    ]


@alerts.command("show", cls=Verb)
@click.argument("alert")
@click.pass_obj
def alerts_show(console: Console, /, alert: str) -> None:
    """One alert, with everything its first event said."""
    reply = console.ask("show_alert", alert_id=_id(alert))
    console.answer(reply, lambda: _card(reply))


@alerts.command("ack", cls=Verb)
@click.argument("alert", nargs=-1, required=True)
@click.option("--note", help="What you found or did; kept in the journal.")
@click.pass_obj
def alerts_ack(console: Console, /, alert: tuple[str, ...], note: str | None) -> None:
    """Say that you have seen alerts; what nothing else ends is over with that."""
    names = [_id(one) for one in alert]
    items = [console.ask("acknowledge_alert", alert_id=name, note=note) for name in names]
    console.answer({"items": items}, lambda: _table(items, "all"))


@alerts.command("channels", cls=Verb)
@click.pass_obj
def alerts_channels(console: Console, /) -> None:
    """Where alerts go, and whether they arrive."""
    reply = console.ask("list_channels")
    columns = [*words("channel", "kind", "state"), *figures("delivered to"), *words("failure")]

    def row(channel: Json) -> list[str]:
        colour = {"ok": "green", "failing": "red"}.get(channel["state"])
        since = channel["failing_since"]
        why = f"{channel['failure']}, since {units.when(since)}" if since else ""
        if aside := channel["aside"]:
            why += f"{'; ' if why else ''}{aside} set aside, tried again by itself"
        state = click.style(channel["state"], fg=colour)
        return [channel["name"], channel["kind"], state, str(channel["delivered_seq"]), why]

    console.answer(reply, lambda: render(columns, [row(one) for one in reply["items"]]))


@alerts.command("test", cls=Verb)
@click.argument("channel")
@click.pass_obj
def alerts_test(console: Console, /, channel: str) -> None:
    """Send a trial through a channel now. Exit code 1: it did not arrive."""
    reply = console.ask("test_channel", name=channel)
    if not reply["delivered"]:
        raise Stop(f"channel {channel} did not deliver: {reply['failure']}")
    console.answer(reply, lambda: f"  channel {channel} delivered a trial")


def _id(text: str) -> str:
    """`42`, as the table shows it, is alr_0000000000000042."""
    number = text.removeprefix("alr_")
    if not number.isdecimal():
        raise click.BadParameter(f"{text!r} is no alert; the list shows their numbers")
    return f"alr_{int(number):016d}"


def _card(alert: Json) -> str:
    lines = [
        ("alert", alert["alert_id"]),
        ("what", click.style(alert["detail"], fg=COLOURS[alert["severity"]])),
        ("state", alert["state"]),
        ("severity", alert["severity"]),
        ("event", f"{alert['type']}, number {alert['raised_seq']}"),
        ("since", f"{units.when(alert['raised_at'])}, seen {units.count(alert['count'], 'times')}"),
        ("ends", "when seen" if alert["ends_at"] is None else units.when(alert["ends_at"])),
    ]
    if alert["acknowledged_by"]:
        at = units.when(alert["acknowledged_at"])
        lines.append(("seen", f"by {alert['acknowledged_by']}, {at}: {alert['note'] or 'no note'}"))
    said = {name: value for name, value in flat(alert["data"]).items() if value is not None}
    lines += [(name.replace(".", " "), str(value)) for name, value in said.items()]
    return "\n".join(f"  {click.style(f'{name:<13}', dim=True)}  {value}" for name, value in lines)

"""`budget demo`: watch a day of calls run into a hard limit."""

import signal
import sys
from types import FrameType
from typing import Any, NoReturn

import click

from daemon.cli.answer import Stop
from daemon.cli.progress import Line
from daemon.cli.verb import NO_COLOUR
from daemon.cli.verify import check
from daemon.client import Client, find_token
from daemon.demo import story
from daemon.demo.house import House, house
from daemon.demo.replay import replay
from daemon.demo.tally import Tally

Json = dict[str, Any]
TERMINATED = 143


@click.command(params=[NO_COLOUR])
@click.option("--keep", is_flag=True, help="Keep the demo's data directory, and say where it is.")
def demo(*, keep: bool) -> None:
    """Watch a day of calls run into a hard limit, against a real daemon of its own.

    Four components replay a working day of provider usage objects (OpenAI, Anthropic, Gemini)
    through the HTTP API until the daemon refuses a call. Nothing is sent anywhere, no model is
    called, no money is spent.
    """
    signal.signal(signal.SIGTERM, _end)
    click.echo(story.opening())
    with house(keep=keep) as home:
        tally = _play(home)
        with Client(home.url, find_token({}, home.url, home.path)) as asked:
            balances = list(asked.items("show_balances"))
        report = check(home.path)
    if not tally.refusals:
        raise Stop("the day went by without a refusal", "this is a bug of the demo: report it")
    click.echo(story.ending(tally, balances, report))
    if keep:
        click.echo(f"\n  kept: {home.path}  (budget verify --data-dir {home.path})")


def _play(home: House) -> Tally:
    tally = Tally()
    with Line() as line, replay(home.url, home.path / "tokens") as heard:
        for event in heard:
            if tally.hear(event) and (news := story.news(event)):
                line.above(news)
            line.draw(story.running(tally))
    return tally


def _end(_: int, __: FrameType | None) -> NoReturn:
    """Leave through every `finally`, so that the daemon is stopped too."""
    sys.exit(TERMINATED)

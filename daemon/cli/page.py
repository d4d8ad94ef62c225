"""`budget page`: open the live page in a browser, with a token that ends by itself."""

import os
import secrets
import webbrowser
from html import escape
from pathlib import Path
from urllib.parse import quote

import click

from daemon.cli.answer import Stop
from daemon.cli.verb import Console, Verb
from daemon.client.find import default_data_dir
from protocols.errors import Forbidden

HOURS = 12
HOUR_S = 3600


@click.command(cls=Verb)
@click.option("--print", "only_print", is_flag=True, help="Print the address, open nothing.")
@click.pass_obj
def page(console: Console, /, *, only_print: bool) -> None:
    """Open the live page: figures, budgets, calls, refusals and alerts as they come.

    It gets a token of its own with the role report, for twelve hours. The token never leaves this
    machine's files and the browser's tab: it stands behind the # of the address, which is not sent.
    """
    url = console.client.url
    if url.startswith("unix:"):
        raise Stop("a browser cannot open a unix socket", "let the daemon listen on a port, too")
    address = f"{url}/#token={quote(token(console))}"
    if only_print:
        console.answer({"url": address}, lambda: address)
        return
    leaf = leaf_to(address, console.where["data_dir"] or default_data_dir(os.environ))
    opened = webbrowser.open(leaf.as_uri())
    told = f"✓ {url}/ is open" if opened else f"open {leaf.as_uri()} in a browser of this machine"
    console.answer({"url": url + "/", "opened": opened}, lambda: told)


def token(console: Console) -> str:
    """A new one; only an administrator may make it, so others bring their own."""
    name = f"page-{secrets.token_hex(4)}"
    try:
        made = console.ask("make_token", name=name, role="report", expires_in_s=HOURS * HOUR_S)
    except Forbidden:
        return console.client.token or ""
    return str(made["token"])


def leaf_to(address: str, data_dir: Path) -> Path:
    """A file that only we can read and that leads there: an argument would be seen by everybody."""
    leaf = data_dir / "page.html"
    leaf.unlink(missing_ok=True)
    handle = os.open(leaf, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f'<meta http-equiv="refresh" content="0; url={escape(address, quote=True)}">\n')
    return leaf

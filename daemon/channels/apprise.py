"""Whatever apprise reaches: mail, chat, telephones. It is an extra, imported when it is used."""

from importlib import import_module
from typing import Any

import anyio.to_thread
from pydantic_core import from_json

from actors.ports import NotDelivered
from daemon.config.channel import ChannelTable
from daemon.config.problems import ConfigError, Problem
from daemon.secret_file import read_private
from protocols.events import SEVERITIES, StoredEvent

TYPES = {"info": "info", "warning": "warning", "critical": "failure"}
"""Ours → apprise's."""
LINES_MAX = 20


class Apprise:
    """Each line of the table's file is one address in apprise's own notation."""

    def __init__(self, table: ChannelTable) -> None:
        assert table.url_file is not None, "the table was checked"
        where = f"channel {table.name}"
        try:
            apprise = import_module("apprise")
        except ImportError:
            remedy = "pip install 'tekton-budget[alerts]'"
            raise ConfigError([Problem(where, "needs apprise", remedy)]) from None
        self._apprise: Any = apprise.Apprise()
        lines = read_private(table.url_file).splitlines()
        for number, line in enumerate(lines, 1):
            address = line.strip()
            if address and not address.startswith("#") and not self._apprise.add(address):
                what = f"line {number} is no address that apprise knows"
                remedy = "see https://github.com/caronc/apprise/wiki"
                raise ConfigError([Problem(str(table.url_file), what, remedy)])
        self._timeout_s = table.timeout_s

    async def deliver(self, events: list[StoredEvent]) -> None:
        gravest = max(events, key=lambda event: SEVERITIES.index(event.severity))
        details = [str(from_json(event.data)["detail"]) for event in events]
        title = "budget: " + (events[0].type if len(events) == 1 else f"{len(events)} events")
        body = "\n".join(details[:LINES_MAX])
        if len(details) > LINES_MAX:
            body += f"\nand {len(details) - LINES_MAX} more"

        def notify() -> bool:
            kind = TYPES[gravest.severity]
            return bool(self._apprise.notify(title=title, body=body, notify_type=kind))

        delivered = False
        with anyio.move_on_after(self._timeout_s):
            delivered = await anyio.to_thread.run_sync(notify, abandon_on_cancel=True)
        if not delivered:
            raise NotDelivered("apprise did not reach everybody")

"""Whatever apprise reaches: mail, chat, telephones. It is an extra, imported when it is used."""

from importlib import import_module
from typing import Any

import anyio.to_thread
from pydantic_core import from_json

from actors.ports import NotDelivered
from daemon.address import Outward, Refused
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
        self._resolver = None if table.allow_private else Outward(allow_private=False)

    async def deliver(self, events: list[StoredEvent]) -> None:
        gravest = max(events, key=lambda event: SEVERITIES.index(event.severity))
        details = [str(from_json(event.data)["detail"]) for event in events]
        title = "budget: " + (events[0].type if len(events) == 1 else f"{len(events)} events")
        body = "\n".join(details[:LINES_MAX])
        if len(details) > LINES_MAX:
            body += f"\nand {len(details) - LINES_MAX} more"

        await self._look()

        def notify() -> bool:
            kind = TYPES[gravest.severity]
            return bool(self._apprise.notify(title=title, body=body, notify_type=kind))

        delivered = False
        with anyio.move_on_after(self._timeout_s):
            delivered = await anyio.to_thread.run_sync(notify, abandon_on_cancel=True)
        if not delivered:
            raise NotDelivered("apprise did not reach everybody")

    async def _look(self) -> None:
        """Nowhere inside, as far as addresses name where they lead to. Raises `NotDelivered`."""
        if self._resolver is None:
            return
        for service in self._apprise.services:
            for host in hosts(service):
                try:
                    await self._resolver.resolve(host)
                except Refused as error:
                    raise NotDelivered(f"{error}, and allow_private is not set") from None
                except OSError:
                    pass  # a name of nothing that can be connected to, such as a topic's


def hosts(service: Any) -> set[str]:
    """The machines that an address names itself; most services have theirs built in."""
    named = str(service.template_tokens.get("host", {}).get("name")).lower()
    found = {service.host} if named.endswith(("host", "hostname")) else set()
    beside = (getattr(service, name, None) for name in ("smtp_host", "xmpp_host"))
    return {str(one).strip("[]") for one in (*found, *beside) if one}

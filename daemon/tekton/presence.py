"""Our presence at Hermes, put together: who we are, what we can, how we keep it up."""

from collections.abc import Callable, Iterator
from typing import Any

from actors.hermes.card import Card, Tool
from actors.hermes.envoy import Envoy
from actors.hermes.membership import Pace
from actors.hermes.presence import Presence
from actors.runtime import Ref
from actors.supervision import Child, Roster
from actors.time import LedgerTime
from daemon.config import Settings
from daemon.tekton.hermes import HermesClient
from protocols.operations import OPERATIONS
from protocols.tekton.component import DESCRIPTION, capabilities


def tools() -> tuple[Tool, ...]:
    """Every operation that a model should see, under the name it has there."""
    return tuple(
        Tool(verb.tool.name, verb.tool.name, verb.tool.text, verb.request.model_json_schema())
        for verb in OPERATIONS
        if verb.tool is not None
    )


def presence(settings: Settings, time: LedgerTime, version: str) -> Presence | None:
    """None where no Hermes is configured."""
    ours = settings.hermes
    if not ours.url:
        return None
    card = Card(ours.name, version, DESCRIPTION, capabilities(), tools())
    pace = Pace(ours.heartbeat_s, ours.check_s, ours.renew_s)
    return Presence(ours.url, card, pace, time)


def organs(
    roster: Roster, settings: Settings, presence: Presence | None, status: Callable[[], str]
) -> Iterator[Child]:
    """The envoy, if there is a Hermes to be sent to; after a fall it knows what it knew."""
    if presence is None:
        return

    def condition() -> dict[str, Any]:
        said = status()
        return {"healthy": said != "unhealthy", "status": said}

    async def start() -> Ref:
        hermes = HermesClient(presence.url, settings.hermes.timeout_s)
        return Envoy.start(roster.tell, hermes, presence, condition)

    yield Child("hermes", start)

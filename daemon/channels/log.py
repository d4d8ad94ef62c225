"""The channel that is always there: a line of the log for each alert."""

import logging

from pydantic_core import from_json

from protocols.events import StoredEvent, event_id

log = logging.getLogger("budget.alerts")

LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}


class Log:
    async def deliver(self, events: list[StoredEvent]) -> None:
        for event in events:
            log.log(
                LEVELS[event.severity],
                "%s: %s",
                event.type,
                from_json(event.data)["detail"],
                extra={"event_id": event_id(event.seq), "alert_id": event.alert_id},
            )

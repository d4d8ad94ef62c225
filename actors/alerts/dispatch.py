"""What the alert dispatcher is rebuilt from."""

from dataclasses import dataclass, field

from actors.alerts.outbox import OpenAlert
from protocols.events import Place


@dataclass(slots=True)
class Dispatch:
    """The newest event, the alerts that are open, and how far each channel has come."""

    seq: int = 0
    open: list[OpenAlert] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

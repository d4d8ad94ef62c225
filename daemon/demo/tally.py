"""What the demo has heard so far: sums, and the refusal that everybody waits for."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from daemon.demo.day import Call
from daemon.demo.replay import Booked, Finished, Heard, Refused, Released, Repeated


@dataclass(slots=True)
class Sum:
    """Calls, tokens and dollars of one component on one model."""

    calls: int = 0
    tokens: int = 0
    usd: Decimal = Decimal(0)

    def add(self, booked: Booked) -> None:
        self.calls += 1
        self.tokens += booked.tokens
        self.usd += Decimal(booked.cost_usd)


@dataclass(slots=True)
class Tally:
    """Filled by `hear`, one event after the other."""

    sums: dict[tuple[str, str], Sum] = field(default_factory=lambda: defaultdict(Sum))
    total: Sum = field(default_factory=Sum)
    released: int = 0
    overruns: list[Booked] = field(default_factory=list)
    repeated: Repeated | None = None
    refusals: list[Refused] = field(default_factory=list)
    last: Call | None = None

    def hear(self, event: Heard) -> None:
        match event:
            case Booked(call=call):
                self.last = call
                self.total.add(event)
                self.sums[call.component, call.model].add(event)
                if event.kind == "overrun":
                    self.overruns.append(event)
            case Released():
                self.released += 1
            case Repeated():
                self.repeated = event
            case Refused():
                self.refusals.append(event)
            case Finished():
                pass

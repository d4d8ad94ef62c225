"""What the demo has heard so far: sums, and what is worth telling."""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from daemon.demo.day import Call
from daemon.demo.replay import Booked, Finished, Heard, Refused, Released, Repeated, Warned


@dataclass(slots=True)
class Sum:
    """Calls, tokens and dollars."""

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

    total: Sum = field(default_factory=Sum)
    by_model: dict[tuple[str, str], Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_component: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    refusals: list[Refused] = field(default_factory=list)
    warned: set[tuple[str, float]] = field(default_factory=set)
    released: int = 0
    last: Call | None = None

    def hear(self, event: Heard) -> bool:
        """Take an event in; True if a person would want to hear of it."""
        match event:
            case Booked(call=call):
                self.last = call
                for sum_ in (
                    self.total,
                    self.by_component[call.component],
                    self.by_model[call.component, call.model],
                ):
                    sum_.add(event)
                return event.kind != "settled"
            case Warned(policy=policy, threshold=threshold):
                news = (policy, threshold) not in self.warned
                self.warned.add((policy, threshold))
                return news
            case Released():
                self.released += 1
                return self.released == 1
            case Refused():
                self.refusals.append(event)
                return True
            case Repeated():
                return event.same
            case Finished():
                return False

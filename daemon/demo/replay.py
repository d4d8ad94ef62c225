"""The components at work: each in its own thread, with its own token, over HTTP."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event
from typing import Any, NamedTuple

from daemon.client import Client
from daemon.demo.day import CLOSES_MIN, DAY, OPENS_MIN, Call, day_of
from protocols.errors import Denied

Json = dict[str, Any]
DAY_S = 6.0
"""How long the day takes."""


class Booked(NamedTuple):
    """A call was settled: `kind` is settled or overrun."""

    call: Call
    kind: str
    cost_usd: str
    tokens: int


class Warned(NamedTuple):
    """A hold was given with a warning: a policy has reached a threshold."""

    call: Call
    policy: str
    threshold: float


class Released(NamedTuple):
    """A hold was given back: the provider did not answer."""

    call: Call


class Repeated(NamedTuple):
    """A reserve was sent twice under one key; `same` if it was answered once."""

    call: Call
    same: bool


class Refused(NamedTuple):
    """The daemon said no, and the component stops."""

    call: Call
    error: Denied


class Finished(NamedTuple):
    """A component is through with its day, or stopped; `crash` if it broke."""

    component: str
    crash: BaseException | None = None


Heard = Booked | Warned | Released | Repeated | Refused | Finished


@contextmanager
def replay(url: str, tokens: Path) -> Iterator[Iterator[Heard]]:
    """Let all components work at once; what happens is heard here, in one thread."""
    heard: SimpleQueue[Heard] = SimpleQueue()
    stop = Event()
    begin = time.monotonic()
    with ThreadPoolExecutor(len(DAY)) as pool:
        for name in DAY:
            token = (tokens / name).read_text(encoding="utf-8").strip()
            pool.submit(_guarded, _Component(name, Client(url, token), begin, stop), heard.put)
        try:
            yield _until_all_finished(heard)
        finally:
            stop.set()


def _until_all_finished(heard: "SimpleQueue[Heard]") -> Iterator[Heard]:
    at_work = len(DAY)
    while at_work:
        event = heard.get()
        if isinstance(event, Finished):
            at_work -= 1
            if event.crash is not None:
                raise event.crash
        yield event


@dataclass(frozen=True, slots=True)
class _Component:
    name: str
    client: Client
    begin: float
    stop: Event

    def work(self, tell: Callable[[Heard], None]) -> None:
        for call in day_of(self.name):
            due = self.begin + DAY_S * (call.minute - OPENS_MIN) / (CLOSES_MIN - OPENS_MIN)
            if self.stop.wait(max(0.0, due - time.monotonic())):
                return
            try:
                self._carry_out(call, tell)
            except Denied as error:
                tell(Refused(call, error))
                return

    def _carry_out(self, call: Call, tell: Callable[[Heard], None]) -> None:
        """Reserve, call the model (here: nobody), settle with the usage it sent."""
        key = f"{call.component}-{call.number}"
        held = self._reserve(call, key)
        for warning in held["warnings"]:
            tell(Warned(call, warning["policy"], warning["threshold"]))
        if call.fate == "repeated":
            tell(Repeated(call, same=self._reserve(call, key) == held))
        if call.fate == "released":
            self.client.call("release", {"reservation_id": held["reservation_id"]})
            tell(Released(call))
            return
        fields = {"reservation_id": held["reservation_id"], "usage": call.usage}
        reply = self.client.call("settle", fields)
        tell(Booked(call, reply["kind"], reply["cost_usd"], reply["tokens"]))

    def _reserve(self, call: Call, key: str) -> Json:
        fields = {
            "component": call.component,
            "model": call.model,
            "task_type": call.task,
            "input_tokens": call.input_tokens,
            "max_output_tokens": call.max_output_tokens,
        }
        return self.client.call("reserve", fields, key)


def _guarded(component: _Component, tell: Callable[[Heard], None]) -> None:
    """Whatever happens to a component, the others' listener hears of it."""
    try:
        with component.client:
            component.work(tell)
    except BaseException as crash:  # noqa: BLE001  # raised again where the demo runs
        tell(Finished(component.name, crash))
    else:
        tell(Finished(component.name))

"""The envoy keeps us listed at Hermes. One question at a time, beside its inbox."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, assert_never

import anyio

from actors.hermes.membership import Entered, Failed, Fine, Outcome, Step, Unknown, after, left
from actors.hermes.presence import Presence
from actors.ports import Hermes, HermesFailed, TokenRejected
from actors.runtime import NOBODY, ServiceActor
from actors.tell import Tell
from protocols.message import Call

log = logging.getLogger("budget.hermes")

GOODBYE_S: Final = 2.0

Condition = Callable[[], dict[str, Any]]
"""How the daemon is, as heartbeats say it."""


@dataclass(slots=True)
class Tick:
    """The timer: do what is due."""


@dataclass(slots=True)
class Open:
    """The door is open here: from now on there is something to register."""

    endpoint: str


@dataclass(slots=True)
class Leave:
    """The daemon stops: say goodbye."""


@dataclass(slots=True)
class _Came:
    """What Hermes said to a step."""

    step: Step
    outcome: Outcome


Heard = Tick | Open | Leave | _Came


class Envoy(ServiceActor):
    """An organ: whatever Hermes does, budgets go on."""

    def __init__(
        self, tell: Tell, hermes: Hermes, presence: Presence, condition: Condition
    ) -> None:
        super().__init__("hermes")
        self.tell = tell
        self.hermes = hermes
        self.presence = presence
        self.condition = condition
        self.asking = False

    def receive(self, message: Heard, call: Call[Any]) -> None:  # noqa: ARG002
        match message:
            case Tick():
                self.look_at_the_clock()
            case Open():
                self.presence.endpoint = message.endpoint
                self.look_at_the_clock()
            case Leave():
                self.leave()
            case _Came():
                self.came(message)
            case _:
                assert_never(message)

    def look_at_the_clock(self) -> None:
        presence = self.presence
        step = presence.membership.due(presence.time.monotonic())
        if step is not None and presence.endpoint is not None and not self.asking:
            self.asking = True
            self.spawn(self.inquire, step, presence.endpoint, presence.membership.token)

    def came(self, message: _Came) -> None:
        self.asking = False
        presence, before = self.presence, self.presence.membership
        now = presence.time.monotonic()
        known = after(before, message.step, message.outcome, now, presence.pace)
        presence.membership = known
        if known.state != before.state or (known.failure and not before.failure):
            level = logging.WARNING if known.failure else logging.INFO
            log.log(
                level, "%s at Hermes: %s", presence.card.name, known.failure or known.state,
                extra={"hermes": presence.url, "state": known.state, "failures": known.failures},
            )  # fmt: skip
        self.look_at_the_clock()

    def leave(self) -> None:
        token = self.presence.membership.token
        self.presence.membership = left(self.presence.membership)
        if token is not None:
            self.spawn(self.say_goodbye, token)

    async def inquire(self, step: Step, endpoint: str, token: str | None) -> None:
        outcome = await self.outcome(step, endpoint, token)
        if isinstance(outcome, Entered) and self.presence.membership.state == "left":
            await self.say_goodbye(outcome.token)
        self.tell("hermes", _Came(step, outcome), NOBODY)

    async def outcome(self, step: Step, endpoint: str, token: str | None) -> Outcome:
        name = self.presence.card.name
        try:
            if step is Step.REGISTER or token is None:
                return await self.enter(endpoint)
            if step is Step.BEAT:
                await self.hermes.heartbeat(name, token, self.condition())
            elif not await self.hermes.listed(name):
                return Unknown("Hermes has forgotten us")
        except TokenRejected as error:
            return Unknown(str(error))
        except HermesFailed as error:
            return Failed(f"{error.reason}: {error}")
        return Fine()

    async def enter(self, endpoint: str) -> Outcome:
        """Register, and every tool with it. A Hermes that takes no tools is a Hermes, too."""
        token = await self.hermes.register(self.presence.card, endpoint)
        for tool in self.presence.card.tools:
            try:
                await self.hermes.offer(tool, endpoint)
            except HermesFailed as error:
                if error.reason != "status":
                    raise
                log.warning("Hermes does not take the tool %s: %s", tool.id, error)
        return Entered(token)

    async def say_goodbye(self, token: str) -> None:
        """For a little while: a stop does not wait for a Hermes that hangs."""
        try:
            with anyio.fail_after(GOODBYE_S):
                for tool in self.presence.card.tools:
                    await self.hermes.withdraw(tool.id)
                await self.hermes.unregister(self.presence.card.name, token)
        except (HermesFailed, TimeoutError) as error:
            log.info("no goodbye from Hermes: %r", error)

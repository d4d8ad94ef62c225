"""What to do next about Hermes, and what is known after it was done: plain functions."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal


class Step(StrEnum):
    """One question to Hermes."""

    REGISTER = "register"
    LOOK = "look whether we are listed"
    BEAT = "heartbeat"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often. Hermes calls a component healthy for 60 s after a heartbeat."""

    heartbeat_s: float = 30.0
    check_s: float = 60.0
    renew_s: float = 3300.0
    retry_first_s: float = 1.0
    retry_max_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Entered:
    """Registered anew."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fine:
    """A heartbeat was taken, or we are listed."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The token is not valid any more, or we are not listed: begin again."""

    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer that says anything."""

    why: str


Outcome = Entered | Fine | Unknown | Failed


@dataclass(frozen=True, slots=True)
class Membership:
    """Where we stand. Moments are seconds of the monotonic clock."""

    state: Literal["trying", "registered", "left"] = "trying"
    token: str | None = field(default=None, repr=False)
    next_at: dict[Step, float] = field(default_factory=lambda: {Step.REGISTER: 0.0})
    """When each step is due; a step that is missing never is."""
    failures: int = 0
    """In a row."""
    failure: str | None = None
    """Why it is not as it should be."""

    def due(self, now: float) -> Step | None:
        """The step to take now: of several the first in the order of `Step`."""
        ready = [step for step in Step if self.next_at.get(step, now + 1) <= now]
        return ready[0] if ready else None


def after(before: Membership, step: Step, outcome: Outcome, now: float, pace: Pace) -> Membership:
    """What is known after a step. Who has left stays so, whatever is heard late."""
    if before.state == "left":
        return before
    match outcome:
        case Entered():
            next_at = {
                Step.REGISTER: now + pace.renew_s,
                Step.LOOK: now + pace.check_s,
                Step.BEAT: now,
            }
            return Membership("registered", outcome.token, next_at)
        case Fine():
            pause_s = pace.heartbeat_s if step is Step.BEAT else pace.check_s
            next_at = before.next_at | {step: now + pause_s}
            return replace(before, next_at=next_at, state="registered", failures=0, failure=None)
        case Unknown():
            return Membership("trying", None, {Step.REGISTER: now}, before.failures, outcome.why)
        case Failed():
            return _failed(before, step, outcome.why, now, pace)


def _failed(before: Membership, step: Step, why: str, now: float, pace: Pace) -> Membership:
    """Hermes is away: wait longer each time, then look first. It may have forgotten us."""
    failures = before.failures + 1
    again_at = now + min(pace.retry_first_s * 2 ** min(failures - 1, 30), pace.retry_max_s)
    if before.token is None or step is Step.REGISTER:
        next_at = before.next_at | {Step.REGISTER: again_at}
    else:
        next_at = before.next_at | {Step.LOOK: again_at, Step.BEAT: again_at}
    return replace(before, state="trying", next_at=next_at, failures=failures, failure=why)


def left(before: Membership) -> Membership:
    """We said goodbye: nothing is due any more."""
    return replace(before, state="left", token=None, next_at={}, failure=None)

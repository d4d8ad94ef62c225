"""Where policies stand, summed for a dashboard."""

from dataclasses import dataclass

from protocols.message import Request
from protocols.policy.charge import Axis


@dataclass(slots=True)
class PolicyGauge:
    """One policy on one axis: nano-dollars, tokens or calls, over its open windows."""

    policy: str
    budget: str
    axis: Axis
    limit: int
    """Of one window."""
    used: int
    held: int
    left: int
    """In the window that has least."""
    windows: int


class ReadGauges(Request[list[PolicyGauge]]):
    """Policies by name, at most so many; those with too many windows to add up only count them."""

    policies_max: int
    windows_max: int

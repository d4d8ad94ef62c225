"""Adding up open windows for metrics, within bounds: this is the path of every call."""

from itertools import islice

from actors.policy.world import World
from protocols.policy.charge import AXES
from protocols.policy.gauges import PolicyGauge, ReadGauges


def gauges(world: World, ask: ReadGauges) -> list[PolicyGauge]:
    now_ms = world.time.now_ms()
    found: list[PolicyGauge] = []
    for rule in islice(world.rules.rules.values(), ask.policies_max):
        windows = len(rule.meters)
        few = windows <= ask.windows_max
        meters = list(rule.open_meters(now_ms)) if few else []
        for axis in rule.axes:
            used = sum(meter.used[axis] for meter in meters)
            held = sum(meter.held[axis] for meter in meters)
            limit = rule.limits[axis]
            left = min(
                (limit - meter.used[axis] - meter.held[axis] for meter in meters), default=limit
            )
            found.append(
                PolicyGauge(
                    rule.name, rule.policy.budget, AXES[axis], limit, used, held, left,
                    len(meters) if few else windows,
                )
            )  # fmt: skip
    return found

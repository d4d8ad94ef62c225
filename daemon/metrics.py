"""What `/metrics` tells: gathered from roll-ups, policies and what is in memory, kept 5 seconds."""

from collections.abc import Iterator

from actors.alerts.feed import LiveFeed
from actors.supervision import State
from actors.supervision.waits import BOUNDS_S
from actors.totals import ModelTotals
from daemon.health import VERSION, Health
from daemon.journal.files import DATABASE
from daemon.journal.store import SqliteStore
from protocols.channels import ListChannels
from protocols.errors import BudgetError
from protocols.http import Crowd
from protocols.message import DAEMON
from protocols.metrics import Family, counter, exposition, gauge, histogram
from protocols.money import show_usd
from protocols.policy.gauges import PolicyGauge, ReadGauges

MODELS_MAX = 200
POLICIES_MAX = 200
WINDOWS_MAX = 1_000
KEPT_S = 5.0
OTHER = "other"
KINDS = ("input", "cache_read", "cache_write", "output")


class Metrics:
    """One gathering at a time is enough for however many ask."""

    def __init__(self, store: SqliteStore, health: Health, feed: LiveFeed, crowd: Crowd) -> None:
        self._store = store
        self._health = health
        self._feed = feed
        self._crowd = crowd
        self._text = b""
        self._until = 0.0

    async def text(self) -> bytes:
        now = self._health.time.monotonic()
        if now >= self._until:
            self._until = now + KEPT_S
            self._text = exposition([*await self._books(), *await self._asked(), *self._house()])
        return self._text

    async def _books(self) -> list[Family]:
        return models(bounded(await self._store.totals()))

    async def _asked(self) -> list[Family]:
        """What actors know; nothing while one of them restarts."""
        roster = self._health.roster
        failing = gauge("channel_failing", "1 while a channel does not deliver")
        try:
            ask = ReadGauges(policies_max=POLICIES_MAX, windows_max=WINDOWS_MAX)
            standing = policies(await roster.ask("policy", ask, DAEMON))
            channels = await roster.ask("alerts", ListChannels(), DAEMON)
        except BudgetError:
            return []
        for one in channels.items:
            failing.add(int(one.state == "failing"), channel=one.name)
        return [*standing, failing]

    def _house(self) -> Iterator[Family]:
        health, roster = self._health, self._health.roster
        yield gauge("build_info", "The version that runs").add(1, version=VERSION)
        yield gauge("uptime_seconds", "Since the daemon started").add(health.uptime_s)
        yield gauge("ready", "1 while operations are served").add(int(health.unready() is None))
        waits = roster.waits
        yield histogram(
            "decision_seconds", "From a ledger's question to its answer on disk", BOUNDS_S,
            waits.counts, waits.sum_s,
        )  # fmt: skip
        yield gauge("in_flight", "Requests that wait for an answer").add(roster.in_flight)
        away = self._crowd.turned_away
        yield counter("turned_away_total", "Calls refused because too many waited").add(away)
        up, depth = gauge("part_up", "1 while a part of the house runs"), 0
        restarts = counter("part_restarts_total", "How often a part was restarted")
        for row in roster.table():
            depth += row.depth
            if not row.name.startswith("ledger:"):
                up.add(int(row.state is State.RUNNING), part=row.name)
                restarts.add(row.restarts, part=row.name)
        yield from (up, restarts)
        yield gauge("queued_messages", "Messages waiting in all inboxes").add(depth)
        yield counter("events_total", "Events ever written to the outbox").add(self._feed.head)
        yield gauge("stream_readers", "Streams of events that are open").add(self._feed.readers)
        size = (health.settings.data_dir / DATABASE).stat().st_size
        yield gauge("journal_bytes", "The size of the journal's file").add(size)
        yield from sources(health)
        unknown = sum(health.unrecognised().values())
        yield counter(
            "unrecognised_usage_total", "Fields of usage objects that nobody understood"
        ).add(unknown)


def sources(health: Health) -> Iterator[Family]:
    age = gauge("price_age_seconds", "Since a price source confirmed its file")
    state = gauge("price_source_ok", "1 while what a price source said is in use and fresh")
    for source in health.inflow.shown():
        state.add(int(source.state == "ok"), source=source.name)
        if source.age_s is not None:
            age.add(source.age_s, source=source.name)
    yield from (age, state)


def bounded(totals: list[ModelTotals]) -> list[ModelTotals]:
    """The dearest by name; all others together."""
    first, rest = totals[:MODELS_MAX], totals[MODELS_MAX:]
    if not rest:
        return first
    sums = {name: sum(one.sums[name] for one in rest) for name in rest[0].sums}
    return [*first, ModelTotals(OTHER, OTHER, sums)]


def models(totals: list[ModelTotals]) -> list[Family]:
    """What was ever booked and refused, by provider and model."""
    spend = counter("spend_usd_total", "Dollars booked")
    tokens = counter("tokens_total", "Tokens booked, by kind")
    decisions = counter("decisions_total", "Calls booked, and calls refused for lack of budget")
    flags = {
        "overruns": counter("overruns_total", "Calls booked above their hold"),
        "late": counter("late_total", "Calls booked after their hold had expired"),
        "estimated": counter("unpriced_calls_total", "Calls whose price was not exact"),
    }
    for one in totals:
        names = {"provider": one.provider, "model": one.model}
        spend.add(show_usd(one.sums["usd"]), **names)
        for kind in KINDS:
            tokens.add(one.sums[kind], **names, kind=kind)
        decisions.add(one.sums["calls"], **names, outcome="booked")
        decisions.add(one.sums["denied"], **names, outcome="denied")
        for name, family in flags.items():
            family.add(one.sums[name], **names)
    return [spend, tokens, decisions, *flags.values()]


def policies(gauges: list[PolicyGauge]) -> list[Family]:
    """Limits and what is left of them, by policy; money in dollars."""
    families: dict[str, Family] = {}
    windows = gauge("policy_windows", "Open windows of a policy")
    counted = set()
    for one in gauges:
        names = {"budget": one.budget, "policy": one.policy}
        figures = (one.limit, one.used, one.held, one.left)
        for what, value in zip(WORDS, figures, strict=True):
            name = f"{what}_{one.axis}"
            family = families.setdefault(name, gauge(name, WORDS[what]))
            family.add(show_usd(value) if one.axis == "usd" else value, **names)
        if one.policy not in counted:
            counted.add(one.policy)
            windows.add(one.windows, **names)
    return [*families.values(), windows]


WORDS = {
    "limit": "The limit of one window of a policy",
    "used": "Booked in the open windows of a policy",
    "reserved": "Held in the open windows of a policy",
    "remaining": "Left in the open window of a policy that has least",
}

"""The daemon's life: settings → journal → actors → doors; signals; drain; reverse stop."""

import json
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio

from actors.alerts.dispatcher import Turn
from actors.alerts.feed import LiveFeed
from actors.archive.archivist import Due
from actors.hermes import envoy as hermes
from actors.journal.journal import Journal, PurgeKeys
from actors.policy.policies import Sweep
from actors.ports import SourceFailed
from actors.prices.catalogue import Catalogue
from actors.prices.monitor import Tick
from actors.routing.router import Router
from actors.runtime import ActorLoop
from actors.spine import Builder
from actors.supervision import Broken, Roster, Spine, StorageBroken, Supervisor
from actors.time import LedgerTime
from actors.tokens.known import KnownTokens
from daemon import garbage, organs
from daemon.assistant.patience import Patient
from daemon.assistant.start import assistant
from daemon.channels.build import ways
from daemon.clock import SystemClock
from daemon.config import Settings
from daemon.health import VERSION, Health
from daemon.journal.faults import JournalFault
from daemon.journal.files import locked
from daemon.journal.seeds import changed_seeds
from daemon.journal.store import SqliteStore
from daemon.logs import set_up
from daemon.metrics import Metrics
from daemon.notices import ClockWatch, note_trouble, part_watch, tell_losses
from daemon.organs import alert_dispatcher, hindsight, importer, inflow_of, price_monitor, registrar
from daemon.prices.abilities import load_abilities
from daemon.prices.source import BookFile
from daemon.tekton import presence as tekton
from daemon.tls import context, group
from daemon.tokens import known_tokens, page_token
from daemon.vocabulary import Vocabulary
from protocols.http import Crowd, DoorSettings, Listening, Streams, add_metrics, application, serve
from protocols.journal import Append
from protocols.mcp import McpDoor
from protocols.mcp.tekton.routes import Bridge
from protocols.prices import PriceBook
from protocols.tekton.door import TektonDoor
from protocols.tekton.vocabulary import Vocabulary as TektonsRoutes
from protocols.tiers import DEFAULT

log = logging.getLogger("budget.daemon")

PLACE_TAKEN = 69
CONFIGURATION = 78
HOUR_MS = 3_600_000
PURGE_EVERY_S = 60.0
DESCRIPTORS = 65_536


async def run(settings: Settings, *, accept_loss: bool = False) -> int:
    """Run until a signal; the exit code. Raises `ConfigError` for what a person must mend."""
    set_up(settings.daemon.log_level, settings.daemon.log_format)
    os.umask(0o077)
    raise_descriptors()
    try:
        with locked(settings.data_dir):
            tokens = known_tokens(settings.data_dir, settings.tokens, SystemClock().now_ms)
            return await live(settings, tokens, accept_loss=accept_loss)
    except Exception as error:  # noqa: BLE001  # sorted below; what is not known goes on
        return sorted_out(sole(error), settings)


def raise_descriptors() -> None:
    """As many open files as we may have: a thousand readers are a thousand descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def sorted_out(error: BaseException, settings: Settings) -> int:
    """What ends the daemon, as one line and an exit code."""
    match error:
        case JournalFault() | Broken():
            if isinstance(error, StorageBroken):
                note_trouble(settings.data_dir, str(error))
            return fail(str(error), error.exit_code)
        case SourceFailed():
            return fail(f"prices.book: {error}", CONFIGURATION)
        case OSError():
            place = f"{settings.daemon.host}:{settings.daemon.port}"
            return fail(f"cannot listen on {place}: {error.strerror or error}", PLACE_TAKEN)
        case _:
            raise error


def sole(error: BaseException) -> BaseException:
    """Task groups wrap what goes through them, even a single error."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def fail(reason: str, code: int) -> int:
    log.critical("stopping: %s", reason)
    say(f"error: {reason}")
    return code


def say(line: str) -> None:
    """One line to people. A log that is full or closed stops nothing."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201


async def live(settings: Settings, tokens: KnownTokens, *, accept_loss: bool) -> int:
    """Everything that lives as long as the daemon, started in order and stopped in reverse."""
    async with AsyncExitStack() as stack:
        store = await SqliteStore.open(settings.data_dir, accept_loss=accept_loss)
        stack.push_async_callback(store.close)
        feed = LiveFeed()
        alive = actors(settings, store, tokens, feed)
        roster, builder, health = await stack.enter_async_context(alive)
        door = door_settings(settings, page_token(tokens, settings.daemon.page_role))
        crowd = Crowd(settings.limits.burst, settings.limits.wait_ms / 1000)
        ask = crowd.asking(Patient(builder.ask))
        app = application(ask, builder.put, tokens.caller, health, crowd, door)
        streams = Streams(builder.ask, tokens.caller, feed, door, health.time.now_ms)
        streams.add_to(app)
        add_metrics(app.router, tokens.caller, Metrics(store, health, feed, crowd).text)
        mcp = McpDoor(ask, tokens.caller, door, VERSION, feed)
        tokens.ended += [streams.end, mcp.end]
        bridge = Bridge(ask, tokens.caller, door, VERSION)
        for beside in (mcp, bridge, TektonDoor(tokens.caller, health, door, stop)):
            beside.add_routes(app.router)
        TektonsRoutes(ask, tokens.caller, door, health.time.now_ms).add_routes(app)
        listening = await stack.enter_async_context(serve(app, door))
        await stack.enter_async_context(mcp.run())
        signals = stack.enter_context(anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT))
        stack.callback(announce(settings, listening))
        health.open(listening.port)
        if listening.url is not None:
            roster.tell("hermes", hermes.Open(listening.url))
        garbage.collect_little()
        stack.callback(roster.abandon)  # when the journal breaks, no door waits for its answers
        await first_of(signals)
        log.info("stopping")
        roster.tell("hermes", hermes.Leave())
        if not await roster.drain(settings.daemon.drain_s):
            roster.abandon()
    return 0


@asynccontextmanager
async def actors(
    settings: Settings, store: SqliteStore, tokens: KnownTokens, feed: LiveFeed
) -> AsyncIterator[tuple[Roster, Builder, Health]]:
    """The actors, supervised. Leaving raises `Broken` if that is why they stopped."""
    roster = roster_of(settings)
    base = (await BookFile(settings.prices.book).load()).with_free(settings.prices.free_providers)
    begin = await store.start()
    time = LedgerTime(SystemClock(), begin.at_ms)
    book = Catalogue(base, await store.prices()).book(time.now_ms())
    builder = builder_of(settings, roster, store, time, book)
    inflow = inflow_of(settings, time)
    loop, changed = ActorLoop(settings.daemon.drain_s), part_watch(roster)
    async with roster, loop, Supervisor(roster, on_change=changed) as supervisor:
        journal = Journal.start(roster.tell, time, store, begin)
        supervisor.watch_journal("journal", journal)
        await supervisor.start_spine(Spine(start=builder.start, flush=builder.flush))
        await supervisor.start_organ(alert_dispatcher(roster, store, time, feed, ways(settings)))
        await supervisor.start_organ(price_monitor(roster, store, base, inflow, builder))
        await supervisor.start_organ(registrar(roster, store, time, tokens))
        await tell_losses(store.loss, settings.data_dir, builder)
        presence = tekton.presence(settings, time, VERSION)
        health = Health(roster, time, builder, inflow, settings, presence)
        for organ in (
            hindsight(roster, time, builder),
            importer(roster, builder),
            organs.archivist(roster, store, time, settings),
            assistant(settings, builder),
            *tekton.organs(roster, settings, presence, health.status),
        ):
            await supervisor.start_organ(organ)
        await builder.seed(changed_seeds(settings, begin.engine.seeds))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(supervisor.broken)
            tasks.start_soon(feed.run)
            tasks.start_soon(sweep, roster, time, settings, ClockWatch(time.clock, begin.at_ms))
            yield roster, builder, health
            tasks.cancel_scope.cancel()


def builder_of(
    settings: Settings, roster: Roster, store: SqliteStore, time: LedgerTime, book: PriceBook
) -> Builder:
    return Builder(
        roster, store, time, book, DEFAULT.extended(settings.tiers),
        settings.limits.components, settings.holds.open,
        Vocabulary(),
        Router(load_abilities().with_rules(settings.models), settings.routes),
        settings.holds.key_hours,
    )  # fmt: skip


def roster_of(settings: Settings) -> Roster:
    return Roster(
        in_flight_max=settings.limits.in_flight,
        inbox_max=settings.limits.inbox,
        ask_timeout_s=settings.limits.answer_s,
    )


async def sweep(roster: Roster, time: LedgerTime, settings: Settings, watch: ClockWatch) -> None:
    """The timers: expire what nobody asks about, forget old keys."""
    purged_at = time.monotonic()
    while True:
        await anyio.sleep(settings.holds.sweep_s)
        roster.tell("policy", Sweep())
        roster.tell("prices", Tick())
        roster.tell("alerts", Turn())
        roster.tell("archive", Due())
        if jumped := watch.look():
            roster.tell("journal", Append(jumped))
        if settings.hermes.url:
            roster.tell("hermes", hermes.Tick())
        if time.monotonic() - purged_at >= PURGE_EVERY_S:
            purged_at = time.monotonic()
            roster.tell("journal", PurgeKeys(time.now_ms() - settings.holds.key_hours * HOUR_MS))


def door_settings(settings: Settings, token: str | None) -> DoorSettings:
    return DoorSettings(
        host=settings.daemon.host,
        port=settings.daemon.port,
        socket=settings.daemon.socket,
        socket_group=group(settings.daemon.socket_group),
        tls=context(settings.daemon.tls_cert, settings.daemon.tls_key),
        connections_max=settings.limits.connections,
        streams_max=settings.limits.streams,
        streams_each_max=settings.limits.streams_each,
        header_s=settings.limits.header_s,
        keepalive_s=settings.limits.idle_s,
        heartbeat_s=settings.limits.heartbeat_s,
        slow_s=settings.limits.slow_s,
        login_failures_max=settings.limits.login_failures,
        hosts=frozenset(settings.daemon.hosts),
        origins=frozenset(settings.daemon.origins),
        page_token=token,
        body_bytes_max=settings.limits.body_bytes,
        body_s=settings.limits.body_s,
        batch_operations_max=settings.limits.batch_operations,
        stream_window=settings.limits.stream_window,
        stop_s=settings.daemon.drain_s,
    )


def announce(settings: Settings, listening: Listening) -> Callable[[], None]:
    """Say where we are, to people and to programs; the result takes it back."""
    path = settings.data_dir / "daemon.json"
    told = {
        "url": reachable(listening.url),
        "socket": None if listening.socket is None else str(listening.socket),
        "tls_cert": None if settings.daemon.tls_cert is None else str(settings.daemon.tls_cert),
        "pid": os.getpid(),
        "version": VERSION,
    }
    path.with_suffix(".new").write_text(json.dumps(told), encoding="utf-8")
    path.with_suffix(".new").replace(path)
    say(f"budget is ready on {told['url'] or listening.socket}")
    return lambda: path.unlink(missing_ok=True)


def reachable(url: str | None) -> str | None:
    """Where a program on this machine finds a daemon that listens everywhere."""
    return url and url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def stop() -> None:
    """As a signal from outside does."""
    signal.raise_signal(signal.SIGTERM)


async def first_of(signals: AsyncIterator[signal.Signals]) -> None:
    """The first SIGTERM or SIGINT stops us in order; a second one at once."""
    async for _ in signals:
        break
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)

"""The daemons of one run, and the ways they are asked."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks import rules
from benchmarks.measure import CROWD, Target
from benchmarks.prefill import place
from benchmarks.servers import Server, bare, copied, daemon

OLD_CALLS = 10_000_000
CONNECTIONS = 5_000
EMPTY, OLD = "empty journal", f"{OLD_CALLS:,} calls"
STRANGERS = "1,000 policies, 10 match"


class Houses(NamedTuple):
    plain: Server
    empty: Server
    full: Server
    old: Server | None
    """On a journal that is used where it lies; only if `benchmarks.prefill` made it before."""
    none: Server
    hundred: Server
    strangers: Server
    many: Server
    """Asked for a thousand components."""


@contextmanager
def houses(loop: str, work: Path, journal: Path) -> Iterator[Houses]:
    """Each in a data directory of its own, fresh or with a copy of the journal."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(TemporaryDirectory(dir=work)))

        def fresh(name: str, text: str = "") -> Server:
            place = home / name
            place.mkdir()
            path = rules.written(place, text or rules.text())
            return stack.enter_context(daemon(place, loop, path))

        old = place(work, OLD_CALLS)
        yield Houses(
            plain=stack.enter_context(bare(home / "bare", loop)),
            empty=fresh("empty"),
            full=stack.enter_context(daemon(stack.enter_context(copied(work, journal)), loop)),
            old=stack.enter_context(daemon(old.parent, loop)) if old.exists() else None,
            none=fresh("none", rules.without_policies()),
            hundred=fresh("hundred", rules.with_a_hundred()),
            strangers=fresh("strangers", rules.with_strangers()),
            many=fresh("many"),
        )


@contextmanager
def spacious(loop: str, work: Path) -> Iterator[Server]:
    """A fresh daemon that lets thousands of connections in."""
    with TemporaryDirectory(dir=work) as home:
        path = rules.written(Path(home), rules.with_room(CONNECTIONS))
        with daemon(Path(home), loop, path) as server:
            yield server


def targets(of: Houses, long: str) -> list[Target]:
    """Who is asked in turn, and how. What is compared comes one after the other."""
    return [
        Target("bare aiohttp", of.plain, bare=True),
        Target(STRANGERS, of.strangers, only=CROWD),
        Target(EMPTY, of.empty),
        Target(long, of.full, more=True),
        *([Target(OLD, of.old)] if of.old else ()),
        Target("no policy", of.none, only=CROWD),
        Target("100 policies match", of.hundred, only=CROWD),
        Target("1 component", of.empty, components=1, only=CROWD),
        Target("1,000 components", of.many, components=1_000, only=CROWD),
        *(
            Target(f"{EMPTY}, batch of {size}", of.empty, batch=size, only=CROWD)
            for size in (1, 10, 100, 1000)
        ),
        Target(f"{EMPTY}, stream", of.empty, stream=True, only=CROWD),
        Target(f"{EMPTY}, MCP", of.empty, mcp=True, only=CROWD),
        Target(f"{long}, Idempotency-Key", of.full, keyed=True, only=CROWD),
        Target("bare aiohttp, unix socket", of.plain, bare=True, unix=True, only=CROWD),
        Target(f"{long}, unix socket", of.full, unix=True, only=CROWD),
    ]

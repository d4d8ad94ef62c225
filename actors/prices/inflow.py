"""What flows in: asking the sources, believing a file as a whole or keeping it aside."""

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from random import Random
from typing import Any

import anyio
from anyio.to_thread import run_sync

from actors.ports import Fetched, PriceSource, SourceFailed
from actors.prices import guards, news
from actors.prices.round import Said
from actors.prices.source import Source
from actors.time import LedgerTime
from protocols.errors import NotFound
from protocols.journal import Draft
from protocols.prices.offer import Offer
from protocols.prices.sources import SourceShown

log = logging.getLogger("budget.prices")

Results = dict[str, Fetched | SourceFailed]
HOUR_S = 3600
JITTER = 0.1


class Inflow:
    """The sources, when each is due, and what each said last."""

    def __init__(
        self,
        ports: Iterable[PriceSource],
        time: LedgerTime,
        *,
        refresh_hours: float,
        stale_hours: int,
        random: Random,
    ) -> None:
        self.sources = {port.name: Source(port) for port in ports}
        self.time = time
        self.refresh_s = refresh_hours * HOUR_S
        self.stale_hours = stale_hours
        self._random = random
        self._due: dict[str, float] = {}
        """Source → when to ask it next, on the monotonic clock."""

    def today(self) -> date:
        return datetime.fromtimestamp(self.time.now_ms() / 1000, UTC).date()

    def due(self) -> list[Source]:
        """Whom to ask now. Nobody, where refreshing by itself is switched off."""
        if not self.refresh_s:
            return []
        now = self.time.monotonic()
        return [s for name, s in self.sources.items() if self._due.get(name, now) <= now]

    def named(self, name: str | None) -> list[Source]:
        """One source, or all. Raises NotFound for a name that is not configured."""
        if name is None:
            return list(self.sources.values())
        if name not in self.sources:
            told = ", ".join(self.sources) or "none is configured"
            raise NotFound(f"there is no price source {name}", hint=f"there are: {told}")
        return [self.sources[name]]

    async def fetch(self, sources: Sequence[Source]) -> Results:
        """Ask them all at once. One that fails takes no other along."""
        results: Results = {}
        today = self.today()

        async def ask(source: Source) -> None:
            try:
                results[source.name] = await source.port.fetch(today)
            except SourceFailed as error:
                results[source.name] = error

        async with anyio.create_task_group() as tasks:
            for source in sources:
                tasks.start_soon(ask, source)
        return results

    def take(self, results: Results) -> list[Draft]:
        """Believe what came, or not; what is to be written down about it."""
        drafts: list[Draft] = []
        for name, result in results.items():
            source = self.sources[name]
            if isinstance(result, SourceFailed):
                drafts += self._failed(source, result)
                continue
            drafts += news.recovered(source)
            source.failure, source.failures = None, 0
            source.reason, source.told_stale = None, False
            self._next(source, self.refresh_s * self._random.uniform(1 - JITTER, 1 + JITTER))
            drafts += self._judge(source, result)
        return drafts

    def grown_stale(self) -> list[Draft]:
        """What to write down about sources whose last word has become too old."""
        drafts: list[Draft] = []
        for source in self.sources.values():
            if (
                self.refresh_s and source.taken is not None and not source.told_stale
                and source.stale(self.time.now_ms(), self.stale_hours)
            ):  # fmt: skip
                source.told_stale = True
                drafts.append(news.stale(source, self.stale_hours))
        return drafts

    def approve(self, source: Source) -> Draft:
        """Use the file that was kept aside. Raises NotFound when there is none."""
        if source.held is None:
            raise NotFound(f"no file of {source.name} waits", hint="see the price sources")
        source.take(source.held)
        return Draft("source_taken", "", source.name, source.body())

    async def remember(self, notes: dict[str, dict[str, Any]]) -> None:
        """Take up the files on disk that the journal knows, and only those."""
        today = self.today()
        for name, source in self.sources.items():
            kept = await run_sync(source.port.kept, today)
            note = notes.get(name, {})
            source.trusted = note.get("sha256")
            if kept is None:
                continue
            if kept.sha256 == note.get("sha256"):
                source.take(kept)
                age_s = (self.time.now_ms() - kept.at_ms) / 1000
                self._next(source, max(0.0, self.refresh_s - age_s))
            elif kept.sha256 == note.get("held_sha256"):
                source.hold(kept, note["why"])

    def said(self) -> list[Said]:
        """Who votes, and on what."""
        return [
            Said(s.name, s.port.family, s.taken.reading.offers, dict(s.since_ms))
            for s in self.sources.values()
            if s.taken is not None
        ]

    def files(self) -> dict[str, str]:
        """Source → sha256 of the file in use."""
        return {s.name: s.taken.sha256 for s in self.sources.values() if s.taken is not None}

    def offers(self) -> list[tuple[str, Offer]]:
        return [(said.source, offer) for said in self.said() for offer in said.offers]

    def shown(self) -> list[SourceShown]:
        now_ms = self.time.now_ms()
        return [source.shown(now_ms, self.stale_hours) for source in self.sources.values()]

    def _judge(self, source: Source, fetched: Fetched) -> list[Draft]:
        before = source.taken
        if before is not None and before.sha256 != fetched.sha256:
            apart_ms = fetched.at_ms - before.at_ms
            why = guards.whole_file(before.reading.offers, fetched.reading.offers, apart_ms)
        elif before is None and fetched.sha256 != source.trusted:
            why = source.why  # a held file that is followed by another is still held
        else:
            why = None
        if why is not None:
            log.warning("price source %s is kept aside: %s", source.name, why)
            another = source.hold(fetched, why)
            return [Draft("source_held", "", source.name, source.body())] if another else []
        another = source.take(fetched)
        return [Draft("source_taken", "", source.name, source.body())] if another else []

    def _failed(self, source: Source, error: SourceFailed) -> list[Draft]:
        source.failures += 1
        source.failure = f"{error.reason}: {error}"
        self._next(source, source.retry_s(self.refresh_s))
        log.warning(
            "price source %s failed, its last file stays in use: %s", source.name, source.failure,
            extra={"source": source.name, "reason": error.reason, "failures": source.failures},
        )  # fmt: skip
        if source.reason == error.reason:
            return []
        source.reason = error.reason
        return [news.failed(source, error.reason)]

    def _next(self, source: Source, in_s: float) -> None:
        self._due[source.name] = self.time.monotonic() + in_s

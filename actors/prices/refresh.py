"""A refresh: sources are asked, their files judged on a thread, and what is sure takes effect."""

import logging
from dataclasses import dataclass
from typing import Any

from anyio.to_thread import run_sync

from actors.prices.change import Change
from actors.prices.in_force import InForce, Spawn
from actors.prices.inflow import Inflow, Results
from actors.prices.known import Key
from actors.prices.round import Question, Round, Said, judge_all, votes_of
from actors.prices.source import Source
from actors.runtime import NOBODY
from protocols.errors import BudgetError, Busy
from protocols.journal import Draft
from protocols.message import Call
from protocols.period import rfc3339
from protocols.prices.sources import Refreshed

log = logging.getLogger("budget.prices")


@dataclass(slots=True)
class Came:
    """What the sources said, or why they failed."""

    results: Results


@dataclass(slots=True)
class Judged:
    """What a round came to. `found` is None when the journal could not write."""

    question: Question
    found: Round | None


class Refresh:
    """One at a time."""

    def __init__(self, inflow: Inflow, in_force: InForce, spawn: Spawn) -> None:
        self.inflow = inflow
        self.in_force = in_force
        self.spawn = spawn
        self.under_way = False

    def begin(self, sources: list[Source], call: Call[Any]) -> None:
        """Raises Busy while another is under way."""
        if self.under_way:
            raise Busy("a refresh is under way")
        self.under_way = True
        self.spawn(self._fetch, sources, call)

    def came(self, results: Results, call: Call[Any]) -> None:
        """Take the files in, and judge all that is in use now."""
        self.judge(self.inflow.take(results), call)

    def approved(self, source: Source, call: Call[Any]) -> None:
        """A person believes a file that was kept aside. Raises Busy or NotFound."""
        if self.under_way:
            raise Busy("a refresh is under way")
        draft = self.inflow.approve(source)
        self.under_way = True
        self.judge([draft], call)

    def judge(self, drafts: list[Draft], call: Call[Any]) -> None:
        """Compare what the sources say with what is in force at this moment."""
        at_ms = self.inflow.time.now_ms()
        catalogue = self.in_force.catalogue
        question = Question(
            now=catalogue.current_by_key(at_ms),
            pins=frozenset(catalogue.pins),
            cases=dict(catalogue.cases),
            files=self.inflow.files(),
            at_ms=at_ms,
            stamp=rfc3339(at_ms),
        )
        self.spawn(self._judge, drafts, self.inflow.said(), question, call)

    def judged(self, message: Judged, call: Call[Any]) -> None:
        """Put in force what still holds: a person may have decided meanwhile."""
        self.under_way = False
        asked, found = message.question, message.found
        if found is None:
            return
        catalogue, at_ms = self.in_force.catalogue, self.inflow.time.now_ms()

        def untouched(key: Key) -> bool:
            now = catalogue.current(key, at_ms)
            return now is asked.now.get(key) and key not in catalogue.pins

        change = Change(
            versions=[known for known in found.versions if untouched(known.key)],
            cases=[case for case in found.cases if untouched(case.key)],
            cleared=[case for case in found.cleared if untouched(case.key)],
        )
        for case in change.cases:
            level = logging.WARNING if case.severity == "critical" else logging.INFO
            log.log(
                level, "the price of %s waits for a person (%s): %s", case.name, case.guard,
                case.detail, extra={"guard": case.guard, "severity": case.severity},
            )  # fmt: skip
        if change.cases:
            log.warning("%d prices wait for a person: see the quarantine", len(change.cases))
        reply = Refreshed(found.models, dict(sorted(found.guards.items())), self.inflow.shown())
        self.in_force.keep(change, call, lambda _: reply)

    async def _fetch(self, sources: list[Source], call: Call[Any]) -> None:
        self.in_force.tell("prices", Came(await self.inflow.fetch(sources)), call)

    async def _judge(
        self, drafts: list[Draft], said: list[Said], question: Question, call: Call[Any]
    ) -> None:
        try:
            for draft in drafts:
                await self.in_force.write(draft, call.caller)
        except BudgetError as error:
            call.refuse(error)
            self.in_force.tell("prices", Judged(question, None), NOBODY)
            return
        found = await run_sync(lambda: judge_all(question, votes_of(said)))
        self.in_force.tell("prices", Judged(question, found), call)

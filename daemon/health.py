"""How the daemon is: for `/health`, `/ready` and `/status`."""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version

from actors.hermes.presence import Presence
from actors.prices.inflow import Inflow
from actors.spine import Builder
from actors.supervision import Roster, State
from actors.time import LedgerTime
from daemon.config import Settings
from protocols.http import Condition
from protocols.period import rfc3339

COMPONENT = "budget"
VERSION = version("tekton-budget")
WAL_RESET_FIXED = (3, 51, 3)
"""SQLite before this can corrupt a log when two connections write and checkpoint at once."""


class Health:
    """Asked at any moment; answers from what is in memory."""

    def __init__(
        self,
        roster: Roster,
        time: LedgerTime,
        builder: Builder,
        inflow: Inflow,
        settings: Settings,
        presence: Presence | None = None,
    ) -> None:
        self.roster = roster
        self.time = time
        self.builder = builder
        self.inflow = inflow
        self.settings = settings
        self.presence = presence
        self.started_ms = time.now_ms()
        self.port: int | None = None
        """Known when the door is open."""

    @property
    def version(self) -> str:
        return VERSION

    def status(self) -> Condition:
        if self.unready() is not None:
            return "unhealthy"
        running = all(row.state is State.RUNNING for row in self.roster.table())
        return "healthy" if running else "degraded"

    @property
    def registered(self) -> bool:
        return self.presence is not None and self.presence.registered

    def overview(self) -> Mapping[str, object]:
        """As Tekton's components answer `/health`; both of its names for the same fact."""
        hermes = () if self.presence is None else (self.presence.dependency(),)
        return {
            "status": self.status(),
            "component": COMPONENT,
            "version": VERSION,
            "timestamp": rfc3339(self.time.now_ms()),
            "uptime": (self.time.now_ms() - self.started_ms) / 1000,
            "port": self.port,
            "registered": self.registered,
            "registeredWithHermes": self.registered,
            "dependencies": hermes,
            "metrics": {},
            "details": {},
        }

    def unready(self) -> str | None:
        names = {row.name: row.state for row in self.roster.table()}
        for name in ("journal", "policy"):
            state = names.get(name)
            if state is not State.RUNNING:
                return f"{name} is {'not started' if state is None else state}"
        return None

    def readiness(self) -> Mapping[str, object]:
        """What may be told to anybody: how old the prices of each source are."""
        return {
            "status": "ready",
            "price_sources": [
                {"name": source.name, "state": source.state, "age_s": source.age_s}
                for source in self.inflow.shown()
            ],
        }

    def unrecognised(self) -> dict[str, int]:
        """Fields of usage objects that nobody understood, the commonest first."""
        directory = self.builder.directory
        return {} if directory is None else dict(directory.unrecognised.most_common(20))

    def details(self) -> Mapping[str, object]:
        """What an operator looks at first."""
        return {
            "pid": os.getpid(),
            "data_dir": str(self.settings.data_dir),
            "config": None if self.settings.path is None else str(self.settings.path),
            "started_at": rfc3339(self.started_ms),
            "uptime_s": (self.time.now_ms() - self.started_ms) // 1000,
            "actors": [asdict(row) for row in self.roster.table()],
            "prices": {
                "dated": self.builder.book.dated,
                "counts": dict(self.builder.book.provenance.counts),
                "free_providers": sorted(self.builder.book.free),
                "sources": [asdict(source) for source in self.inflow.shown()],
            },
            "hermes": None if self.presence is None else self.presence.shown(),
            "unrecognised_usage": self.unrecognised(),
            "sqlite": {
                "version": sqlite3.sqlite_version,
                "wal_reset_fixed": sqlite3.sqlite_version_info >= WAL_RESET_FIXED,
            },
            "notes": list(self.settings.notes),
        }

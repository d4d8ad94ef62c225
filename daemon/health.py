"""How the daemon is: for `/health`, `/ready` and `/status`."""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from time import monotonic
from typing import Any

from actors.hermes.presence import Presence
from actors.prices.inflow import Inflow
from actors.spine import Builder
from actors.supervision import Roster, State
from actors.time import LedgerTime
from daemon.config import Settings
from protocols.http import Condition
from protocols.period import rfc3339
from protocols.tekton.component import NAME, capabilities

SPINE = ("journal", "policy")
VERSION = version("tekton-budget")
BEGAN_S = monotonic()
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
        self.start_s: float | None = None
        """Known when the door is open."""

    def open(self, port: int | None) -> None:
        """The door is open; from the import of this module it took so long."""
        self.port = port
        self.start_s = round(monotonic() - BEGAN_S, 3)

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

    def overview(self) -> Mapping[str, Any]:
        """As Tekton's components answer `/health`; both of its names for the same fact."""
        hermes = () if self.presence is None else (self.presence.dependency(),)
        return {
            "status": self.status(),
            **self.identity(),
            "timestamp": rfc3339(self.time.now_ms()),
            "uptime": self.uptime_s,
            "port": self.port,
            "registered": self.registered,
            "registeredWithHermes": self.registered,
            "dependencies": hermes,
            "metrics": {},
            "details": {},
        }

    def running(self) -> Mapping[str, object]:
        return {
            **self.identity(),
            "status": "running",
            "health": self.status(),
            "port": self.port,
            "registered": self.registered,
            "uptime": self.uptime_s,
            "capabilities": capabilities(),
        }

    @staticmethod
    def identity() -> dict[str, str]:
        return {"component": NAME, "version": VERSION}

    @property
    def uptime_s(self) -> float:
        return (self.time.now_ms() - self.started_ms) / 1000

    def unready(self) -> str | None:
        names = {row.name: row.state for row in self.roster.table()}
        for name in SPINE:
            state = names.get(name)
            if state is not State.RUNNING:
                return f"{name} is {'not started' if state is None else state}"
        return None

    def readiness(self) -> Mapping[str, object]:
        """What may be told to anybody: how old the prices of each source are."""
        return {
            "ready": True,
            "status": "ready",
            **self.identity(),
            "timestamp": rfc3339(self.time.now_ms()),
            "uptime": self.uptime_s,
            "initializationTime": self.start_s,
            "checks": {row.name: row.state for row in self.roster.table() if row.name in SPINE},
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

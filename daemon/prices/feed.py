"""A price source over the network or from a file, with its last good file kept on disk."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import anyio
from anyio.to_thread import run_sync

from actors.ports import Clock, Fetched, SourceFailed
from daemon.prices.fetch import Fetching, Page, fetch
from protocols.prices.offer import Reading

Reader = Callable[[bytes, date], Reading]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the files a source is made of; most have one."""

    name: str
    url: str
    read: Reader


class Feed:
    """The `PriceSource` port over https. What it fetched last is in `place`."""

    def __init__(
        self,
        name: str,
        family: str,
        parts: Sequence[Part],
        *,
        how: Fetching,
        place: Path,
        clock: Clock,
    ) -> None:
        self.name = name
        self.family = family
        self.parts = parts
        self.how = how
        self.place = place
        self.clock = clock

    async def fetch(self, today: date) -> Fetched:
        """Ask for every part; only files that can be read replace those on disk."""
        kept = await run_sync(self._load)
        pages: dict[str, Page] = {}

        async def ask(part: Part) -> None:
            old = kept.get(part.name)
            etag, modified = (old.etag, old.modified) if old is not None else (None, None)
            pages[part.name] = await fetch(part.url, self.how, etag=etag, modified=modified)

        try:
            async with anyio.create_task_group() as tasks:
                for part in self.parts:
                    tasks.start_soon(ask, part)
        except* SourceFailed as failed:
            raise _first(failed) from None
        files = {
            part.name: _KeptFile(page.body, page.etag, page.modified)
            if page.body is not None
            else kept[part.name]
            for part in self.parts
            for page in [pages[part.name]]
        }
        reading = await run_sync(self._read, files, today)
        digest = _digest(files)
        changed = not kept or digest != _digest(kept)
        now_ms = self.clock.now_ms()
        await run_sync(self._save, files, now_ms)
        return self._fetched(reading, files, now_ms, changed=changed)

    def kept(self, today: date) -> Fetched | None:
        """The files on disk, if all are there and are what was written."""
        files = self._load()
        if len(files) < len(self.parts):
            return None
        try:
            reading = self._read(files, today)
        except SourceFailed:
            return None
        return self._fetched(reading, files, self._note()["at_ms"], changed=False)

    def _read(self, files: Mapping[str, "_KeptFile"], today: date) -> Reading:
        whole = Reading([])
        for part in self.parts:
            reading = part.read(files[part.name].body, today)
            whole.offers += reading.offers
            whole.rejected |= reading.rejected
        return whole

    def _fetched(
        self, reading: Reading, files: Mapping[str, "_KeptFile"], at_ms: int, *, changed: bool
    ) -> Fetched:
        size = sum(len(file.body) for file in files.values())
        etags = [file.etag for file in files.values()]
        etag = etags[0] if len(etags) == 1 else None
        return Fetched(reading, _digest(files), etag, at_ms, size, changed)

    def _save(self, files: Mapping[str, "_KeptFile"], now_ms: int) -> None:
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, file in files.items():
            _replace(self.place / f"{name}.json", file.body)
        note = {
            "at_ms": now_ms,
            "files": {
                name: {"sha256": file.sha256, "etag": file.etag, "modified": file.modified}
                for name, file in files.items()
            },
        }
        _replace(self.place / "note", json.dumps(note).encode())

    def _note(self) -> dict[str, Any]:
        try:
            note: dict[str, Any] = json.loads((self.place / "note").read_bytes())
        except (OSError, ValueError):
            return {"files": {}}
        return note

    def _load(self) -> dict[str, "_KeptFile"]:
        """Files that are as they were written. One that was touched is fetched anew."""
        found: dict[str, _KeptFile] = {}
        for name, note in self._note()["files"].items():
            try:
                body = (self.place / f"{name}.json").read_bytes()
            except OSError:
                continue
            file = _KeptFile(body, note["etag"], note["modified"])
            if file.sha256 == note["sha256"]:
                found[name] = file
        return found


class FileFeed:
    """A price list of the operator's own, on this machine."""

    def __init__(self, name: str, family: str, path: Path, read: Reader, clock: Clock) -> None:
        self.name = name
        self.family = family
        self.path = path
        self.read = read
        self.clock = clock

    async def fetch(self, today: date) -> Fetched:
        return await run_sync(self._fetch, today)

    def kept(self, today: date) -> Fetched | None:
        """It is its own copy."""
        try:
            return self._fetch(today)
        except SourceFailed:
            return None

    def _fetch(self, today: date) -> Fetched:
        try:
            body = self.path.read_bytes()
        except OSError as error:
            why = f"{self.path} cannot be read: {error.strerror}"
            raise SourceFailed(why, "connection") from error
        digest = hashlib.sha256(body).hexdigest()
        reading = self.read(body, today)
        return Fetched(reading, digest, None, self.clock.now_ms(), len(body), changed=False)


@dataclass(frozen=True, slots=True)
class _KeptFile:
    body: bytes
    etag: str | None
    modified: str | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def _digest(files: Mapping[str, _KeptFile]) -> str:
    """One file's own digest; of several, the digest of their digests."""
    digests = [file.sha256 for _, file in sorted(files.items())]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _first(failed: BaseExceptionGroup[SourceFailed]) -> SourceFailed:
    error: BaseException = failed
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, SourceFailed)
    return SourceFailed(str(error), error.reason)


def _replace(path: Path, body: bytes) -> None:
    """The whole file or the old one, readable by its owner only."""
    new = path.with_name(f"{path.name}.new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(body)
    new.replace(path)

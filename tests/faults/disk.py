"""A disk and a wall clock that do what a test says, under an unchanged daemon.

A small library (`iofault.c`) stands between the process and the kernel: it reads a control file
before each call, and keeps what was overwritten until it is synced, for a test to take back.
"""

import os
import struct
import subprocess
from itertools import count
from pathlib import Path

SOURCE = Path(__file__).with_name("iofault.c")
HEAD = struct.Struct("=qqq")
"""Of a record of what was overwritten: where, the file's size before, how many bytes."""


def build(folder: Path) -> Path:
    library = folder / "iofault.so"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, SOURCE], check=True
    )
    return library


class Disk:
    """Of one daemon; `strike` and `shift` act at once, whatever it is doing."""

    def __init__(self, library: Path, folder: Path, data_dir: Path) -> None:
        self.folder = folder
        self._data_dir = data_dir
        self._control = folder / "control"
        self._undo = folder / "undo"
        self._undo.mkdir()
        self._numbers = count(1)
        self._rule = "none - 0 none 0"
        self._shift_ms = 0
        self.environ = {
            "LD_PRELOAD": str(library),
            "IOFAULT_DIR": str(data_dir),
            "IOFAULT_CONTROL": str(self._control),
            "IOFAULT_UNDO": str(self._undo),
        }
        self._write()

    def strike(self, call: str, name: str, action: str, argument: int = 0, after: int = 0) -> None:
        """From the call after so many on files of that name on; see `iofault.c`."""
        self._rule = f"{call} {name} {after} {action} {argument}"
        self._write()

    def heal(self) -> None:
        self._rule = "none - 0 none 0"
        self._write()

    def shift(self, ms: int) -> None:
        """Set the wall clock so far from the true one; no other clock moves."""
        self._shift_ms = ms
        self._write()

    def lose_power(self, *names: str) -> int:
        """Take back what was never synced (of these files, or of all); how many writes that is."""
        lost = 0
        for log in sorted(self._undo.iterdir()):
            if not names or log.name in names:
                lost += take_back(log.read_bytes(), self._data_dir / log.name)
            log.unlink()
        return lost

    def _write(self) -> None:
        new = self._control.with_suffix(".new")
        new.write_text(f"{next(self._numbers)} {self._shift_ms} {self._rule}\n")
        new.replace(self._control)


def take_back(log: bytes, path: Path) -> int:
    records: list[tuple[int, int, bytes]] = []
    at = 0
    while at < len(log):
        offset, size, length = HEAD.unpack_from(log, at)
        records.append((offset, size, log[at + HEAD.size :][:length]))
        at += HEAD.size + length
    if path.exists():
        handle = os.open(path, os.O_WRONLY)
        for offset, size, before in reversed(records):
            os.pwrite(handle, before, offset)
            os.ftruncate(handle, size)
        os.close(handle)
    return len(records)

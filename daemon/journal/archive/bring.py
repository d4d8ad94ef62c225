"""Sealed files go where their database goes: to a backup, from a backup, aside."""

import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from daemon.journal.archive.copy import digest_of, new_file, seal
from daemon.journal.archive.sealed import FOLDER, REMEDY, Gone, Sealed, sealed
from daemon.journal.faults import NotWritable
from daemon.journal.files import connect_reader

Progress = Callable[[str, int, int], None]


def bring(database: Path, source: Path, progress: Progress) -> None:
    """Whatever this copy of a database names, beside it too; what is there is not copied again.

    `source` is the folder where the files are. Raises a `JournalFault`.
    """
    with closing(connect_reader(database)) as db:
        files = sealed(db)
    folder = database.parent / FOLDER
    for done, one in enumerate(files):
        progress("copying months", done, len(files))
        folder.mkdir(mode=0o700, exist_ok=True)
        bring_one(one, source / one.name, folder / one.name)


def bring_one(one: Sealed, source: Path, to: Path) -> None:
    if to.exists():
        if digest_of(to) != one.sha256:
            raise NotWritable(f"{to} is of another journal; name another place")
        return
    if not source.exists():
        raise Gone(f"{source}, which has {one.whose}, is gone; {REMEDY}")
    part = new_file(to.with_name(f"{to.name}.part"))
    try:
        shutil.copyfile(source, part)
        if digest_of(part) != one.sha256:
            raise Gone(f"{source}, which has {one.whose}, is not as it was sealed; {REMEDY}")
        seal(part, to)
    finally:
        part.unlink(missing_ok=True)


def link_all(source: Path, to: Path) -> None:
    """The files of a folder under a second name: what happens to one does not touch the other."""
    if source.is_dir():
        to.mkdir(mode=0o700, exist_ok=True)
        for file in source.glob("*.db"):
            os.link(file, to / file.name)


def put_in_place(staged: Path, folder: Path) -> None:
    """Files that were brought take the places of those that have their names."""
    if staged.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        for file in staged.glob("*.db"):
            file.replace(folder / file.name)

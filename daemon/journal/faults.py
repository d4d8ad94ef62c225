"""Why the journal does not open, each with the exit code the daemon ends with."""


class JournalFault(Exception):
    """One line of reason, and what to do."""

    exit_code = 74


class InUse(JournalFault):
    """Another daemon has the data directory."""

    exit_code = 75


class Damaged(JournalFault):
    """The file is not a journal, or not a whole one."""

    exit_code = 65


class Newer(JournalFault):
    """A later version of the daemon wrote it."""

    exit_code = 76


class Older(JournalFault):
    """An earlier version wrote it, and nobody has brought it to this schema."""

    exit_code = 76


class NotWritable(JournalFault):
    """The data directory cannot be made or written."""

    exit_code = 73


class BadSettings(JournalFault):
    """SQLite does not keep the settings that durability rests on."""

    exit_code = 78

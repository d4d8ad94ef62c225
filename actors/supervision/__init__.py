"""Names instead of refs, admission at the door, and who rises again after a fall.

Everybody holds a name; the `Roster` knows who answers to it now. `ask` comes from outside and may
be refused: `Busy` when too much waits, `Unavailable` when nobody is there or the deadline passes.
`tell` goes between actors, for work that was admitted before: it is never refused for fullness.
A caller who leaves takes only their ears away; the message is handled all the same.

An actor that dies of an exception shares its fate:

- **The spine**, the default, falls together: all of it is killed at once, unheard messages and
  all; what the journal holds already is written and answered; every other call on the spine is
  refused, not applied; then it is rebuilt from the journal. Too many falls: `SpineBroken`, exit 70.
- **An organ** is restarted alone, ever more slowly. Too many falls: it stays down, and only it.
- **The journal** is not restarted: `StorageBroken`, exit 74.

    async with Roster() as roster, ActorLoop(), Supervisor(roster) as supervisor:
        supervisor.watch_journal("journal", Journal.start(store))
        await supervisor.start_spine(Spine(start=build_from_journal, flush=journal_is_written))
        await supervisor.start_organ(Child("prices", start_prices))
        await supervisor.broken()  # raises, one day
"""

from actors.supervision.fate import Fate, State
from actors.supervision.roster import Roster, Row
from actors.supervision.supervisor import (
    Broken,
    Child,
    Spine,
    SpineBroken,
    StorageBroken,
    Supervisor,
    doubling,
)

__all__ = [
    "Broken",
    "Child",
    "Fate",
    "Roster",
    "Row",
    "Spine",
    "SpineBroken",
    "State",
    "StorageBroken",
    "Supervisor",
    "doubling",
]

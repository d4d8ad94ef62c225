"""What the daemon notices of itself: clocks that jump, parts that fall, a disk that failed."""

import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from actors.alerts.notice import noticed
from actors.ports import Clock
from actors.spine import Builder
from actors.supervision import Fate, Roster, State
from protocols.journal import Append, Draft, loss_accepted

log = logging.getLogger("budget.daemon")

JUMP_MS = 30_000
"""By less the wall clock is corrected in the ordinary way."""
TROUBLE = "storage-trouble"


class ClockWatch:
    """Wall time and monotonic time go at the same pace, or somebody has set the clock."""

    def __init__(self, clock: Clock, last_ms: int) -> None:
        """`last_ms` is the journal's last entry: a clock that is behind it was set back."""
        self._clock = clock
        self._apart_ms = self._apart()
        self._behind_ms = last_ms - clock.now_ms()

    def _apart(self) -> int:
        return self._clock.now_ms() - round(self._clock.monotonic() * 1000)

    def look(self) -> list[Draft]:
        """What to write down, if it has jumped since the last look."""
        before, self._apart_ms = self._apart_ms, self._apart()
        jump_ms = self._apart_ms - before - max(0, self._behind_ms)
        self._behind_ms = 0
        if abs(jump_ms) < JUMP_MS:
            return []
        way = "forward" if jump_ms > 0 else "back; ledger time stands still until it has caught up"
        detail = f"the clock of this machine went {abs(jump_ms) / 1000:.0f} s {way}"
        return [noticed("clock.jumped", "warning", "clock", detail, jump_ms=jump_ms)]


def part_watch(roster: Roster) -> Callable[[Fate], None]:
    """Tell of parts that were restarted or stay down. The journal cannot tell of its own end."""

    def changed(fate: Fate) -> None:
        if fate.name == "journal" or fate.state is State.RESTARTING:
            return
        up = fate.state is State.RUNNING
        verb = "restarted" if up else "down"
        told = "was restarted" if up else "fell too often and stays down"
        roster.tell(
            "journal",
            Append(
                [
                    noticed(
                        f"component.{verb}", "warning" if up else "critical", fate.name,
                        f"{fate.name} {told}", restarts=fate.restarts,
                    )
                ]
            ),
        )  # fmt: skip

    return changed


def note_trouble(data_dir: Path, why: str) -> None:
    """Leave word of a failed store for the next start; on a broken disk that may fail, too."""
    with suppress(OSError):
        (data_dir / TROUBLE).write_text(f"{why}\n", encoding="utf-8")


async def tell_losses(loss: str | None, data_dir: Path, builder: Builder) -> None:
    """Write down what is missing, and what the last daemon died of if it was the store."""
    tell = builder.roster.tell
    if loss is not None:
        log.warning("going on without what was lost: %s", loss)
        tell("journal", Append([loss_accepted(loss)]))
    try:
        why = (data_dir / TROUBLE).read_text(encoding="utf-8").strip()
    except OSError:
        return
    detail = f"the store failed and the daemon stopped; it was read anew since: {why}"
    tell("journal", Append([noticed("storage.trouble", "critical", "journal", detail[:500])]))
    await builder.flush()
    (data_dir / TROUBLE).unlink(missing_ok=True)

"""A clock that stands still until a test moves it."""


class FakeClock:
    """The `Clock` port. Wall time and monotonic time go their own ways, as they do in reality."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms
        self.monotonic_ms = 0

    def now_ms(self) -> int:
        return self.wall_ms

    def monotonic(self) -> float:
        return self.monotonic_ms / 1000

    def pass_by(self, ms: int) -> None:
        """Let time pass, for both."""
        self.wall_ms += ms
        self.monotonic_ms += ms

    def step(self, ms: int) -> None:
        """Somebody sets the wall clock; no time has passed."""
        self.wall_ms += ms

    def reboot(self) -> None:
        """A machine that starts anew counts its monotonic time from anywhere."""
        self.monotonic_ms = 0

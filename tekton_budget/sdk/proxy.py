"""An SDK's client as it was, but for the calls that cost money."""

from collections.abc import Callable
from typing import Any, Self

GUARDED = {
    ("chat", "completions"): frozenset({"create"}),
    ("responses",): frozenset({"create"}),
    ("embeddings",): frozenset({"create"}),
    ("messages",): frozenset({"create"}),
    ("beta", "chat", "completions"): frozenset({"create"}),
    ("beta", "messages"): frozenset({"create"}),
}
FREE = frozenset(
    {"retrieve", "list", "delete", "cancel", "update", "count_tokens", "messages", "input_items",
     "input_tokens", "batches"}
)  # fmt: skip
"""What such a resource also offers and what makes no call of a model now."""
AGAIN = frozenset({"with_options", "copy"})
"""What gives another client: it is guarded as well."""

Around = Callable[[tuple[str, ...], Callable[..., Any]], Callable[..., Any]]


class Proxy:
    """Stands for the client, or for a part of it on the way to a guarded call."""

    def __init__(self, target: Any, guard: Around, path: tuple[str, ...] = ()) -> None:
        self._target = target
        self._guard = guard
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        path = (*self._path, name)
        if name in GUARDED.get(self._path, ()):
            return self._guard(path, found)
        if not self._path and name in AGAIN:
            return lambda *args, **kwargs: Proxy(found(*args, **kwargs), self._guard)
        if any(known[: len(path)] == path for known in GUARDED):
            return Proxy(found, self._guard, path)
        if self._path in GUARDED and name not in FREE and not name.startswith("_"):
            raise AttributeError(
                f"{'.'.join(path)} is not guarded by the budget: call create(), or hold() yourself"
            )
        if not self._path and name in ("with_raw_response", "with_streaming_response"):
            raise AttributeError(f"{name} is not guarded by the budget: call create()")
        return found

    def __enter__(self) -> Self:
        self._target.__enter__()
        return self

    def __exit__(self, *error: object) -> Any:
        return self._target.__exit__(*error)

    async def __aenter__(self) -> Self:
        await self._target.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> Any:
        return await self._target.__aexit__(*error)

    def __repr__(self) -> str:
        return f"<{self._target!r} under the budget>"

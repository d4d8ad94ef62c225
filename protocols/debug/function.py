"""`@log_function()`: a line when a function is entered, and one when it is left.

What is decorated stays what it was: coroutine functions and generators of both kinds too, with
what is sent and thrown into them. When off, a call costs one look at `debug_log.enabled` more.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from protocols.debug.log import LogLevel, debug_log, level_of

F = TypeVar("F", bound=Callable[..., Any])
Given = tuple[tuple[Any, ...], dict[str, Any]]

UNSAID: Final = object()


def log_function(
    level: str | LogLevel = LogLevel.DEBUG,
    include_args: bool = True,  # noqa: FBT001, FBT002  # Tekton's signature
    component: str | None = None,
) -> Callable[[F], F]:
    """Say ENTER, and EXIT or EXCEPTION, as `component`; by default the part of the house."""
    at = level_of(level, LogLevel.DEBUG) if isinstance(level, str) else level

    def decorate(function: F) -> F:
        who = component or component_of(function.__module__)

        def passage(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Passage:
            return Passage(function.__name__, who, at, (args, kwargs) if include_args else None)

        return cast("F", _wrapped(function, passage))

    return decorate


def component_of(module: str) -> str:
    """`actors.policy.decide` → `budget_policy`."""
    parts = module.split(".")
    return f"budget_{parts[1] if len(parts) > 1 else parts[0]}"


class Passage:
    """One call on its way through: what it was given, what came of it."""

    __slots__ = ("at", "given", "name", "result", "who")

    def __init__(
        self,
        name: str,
        who: str,
        at: LogLevel,
        given: tuple[tuple[Any, ...], dict[str, Any]] | None,
    ) -> None:
        self.name = name
        self.who = who
        self.at = at
        self.given = given
        self.result: Any = UNSAID

    def __enter__(self) -> Self:
        data = None
        if self.given is not None:
            args, kwargs = self.given
            data = {"args": list(args)} if args else {}
            data |= kwargs
        debug_log.log(self.at, self.who, f"ENTER {self.name}", data)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            debug_log.exception(
                self.who, f"EXCEPTION in {self.name}: {error}", (kind, error, trace)
            )
            return
        said = self.given is not None and self.result is not UNSAID
        data = {"result": self.result} if said else None
        debug_log.log(self.at, self.who, f"EXIT {self.name}", data)


Begin = Callable[[tuple[Any, ...], dict[str, Any]], Passage]


def _wrapped(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    if isasyncgenfunction(function):
        return _async_generator(function, begin)
    if iscoroutinefunction(function):
        return _coroutine(function, begin)
    if isgeneratorfunction(function):
        return _generator(function, begin)

    @wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        if not debug_log.enabled:
            return function(*args, **kwargs)
        with begin(args, kwargs) as passage:
            passage.result = function(*args, **kwargs)
        return passage.result

    return plain


def _coroutine(
    function: Callable[..., Coroutine[Any, Any, Any]], begin: Begin
) -> Callable[..., Coroutine[Any, Any, Any]]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not debug_log.enabled:
            return await function(*args, **kwargs)
        with begin(args, kwargs) as passage:
            passage.result = await function(*args, **kwargs)
        return passage.result

    return wrapper


def _generator(
    function: Callable[..., Generator[Any, Any, Any]], begin: Begin
) -> Callable[..., Generator[Any, Any, Any]]:
    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with begin(args, kwargs) as passage:
            passage.result = yield from function(*args, **kwargs)
        return passage.result

    return wrapper


def _async_generator(
    function: Callable[..., AsyncGenerator[Any, Any]], begin: Begin
) -> Callable[..., AsyncGenerator[Any, Any]]:
    @wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        inner = function(*args, **kwargs)
        with begin(args, kwargs):
            try:
                item = await anext(inner)
                while True:
                    try:
                        sent = yield item
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001  # it is the inner one's
                        item = await inner.athrow(error)
                    else:
                        item = await inner.asend(sent)
            except StopAsyncIteration:
                return

    return wrapper

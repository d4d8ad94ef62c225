"""Each verb once, for both clients: an ask of `tekton_budget.ask`, sent by whoever has the verb."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from inspect import Parameter, Signature, signature
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from tekton_budget import ask
from tekton_budget.ask import Ask

if TYPE_CHECKING:
    from tekton_budget.async_client import AsyncBudgetClient
    from tekton_budget.client import BudgetClient

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Method = Callable[..., Any]


class Page(Protocol[R_co]):
    """A piece of a list."""

    @property
    def items(self) -> tuple[R_co, ...]: ...
    @property
    def next_cursor(self) -> str | None: ...


class Verb(Generic[P, R]):
    """What an ask takes, as a method: `BudgetClient` returns its reply, the other awaits it."""

    def __init__(self, build: Callable[P, Ask[R]]) -> None:
        self.__doc__ = build.__doc__
        self._say = _method(build, lambda client: client.ask)

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "BudgetClient", owner: type) -> Callable[P, R]: ...
    @overload
    def __get__(
        self, client: "AsyncBudgetClient", owner: type
    ) -> Callable[P, Coroutine[Any, Any, R]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else MethodType(self._say, client)


class Listing(Generic[P, R]):
    """A list of any length, as a method: read page by page while it is gone through."""

    def __init__(self, build: Callable[P, Ask[Page[R]]]) -> None:
        self.__doc__ = build.__doc__
        self._say = _method(build, lambda client: client.pages)

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "BudgetClient", owner: type) -> Callable[P, Iterator[R]]: ...
    @overload
    def __get__(
        self, client: "AsyncBudgetClient", owner: type
    ) -> Callable[P, AsyncIterator[R]]: ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else MethodType(self._say, client)


def _method(build: Method, send: Callable[[Any], Method]) -> Method:
    def say(self: Any, *args: Any, **kwargs: Any) -> Any:
        return send(self)(build(*args, **kwargs))

    this = Parameter("self", Parameter.POSITIONAL_ONLY)
    shown = Signature([this, *signature(build).parameters.values()])
    vars(say).update(__signature__=shown, __annotations__={})
    say.__name__ = say.__qualname__ = build.__name__
    say.__doc__ = build.__doc__
    return say


class Verbs:
    """What both clients say."""

    reserve = Verb(ask.reserve)
    check = Verb(ask.check)
    settle = Verb(ask.settle)
    release = Verb(ask.release)
    extend = Verb(ask.extend)
    record = Verb(ask.record)
    allocate = Verb(ask.allocate)
    show_allocation = Verb(ask.show_allocation)
    extend_allocation = Verb(ask.extend_allocation)
    release_allocation = Verb(ask.release_allocation)
    set_policy = Verb(ask.set_policy)
    remove_policy = Verb(ask.remove_policy)
    report = Verb(ask.report)
    quote = Verb(ask.quote)
    policies = Listing(ask.policies)
    balances = Listing(ask.balances)
    allocations = Listing(ask.allocations)

"""The guard before every route: whose Host, which Origin; and no answer but ours goes out."""

import re
from asyncio import Transport  # noqa: TID251  # what a connection writes to
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from multidict import CIMultiDict

from protocols.debug import debug_log
from protocols.errors import (
    BudgetError,
    Forbidden,
    Malformed,
    MethodNotAllowed,
    Misdirected,
    NotFound,
    TooLarge,
    Unauthenticated,
)
from protocols.http.cors import Cors
from protocols.http.failures import Failures
from protocols.http.reply import mishap, problem
from protocols.http.settings import DoorSettings

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class Guard:
    """Knows the names we go by and the pages that may call us."""

    def __init__(self, settings: DoorSettings) -> None:
        names = "|".join(re.escape(name) for name in sorted(LOOPBACK | settings.hosts))
        self._host = re.compile(f"(?:{names})(?::[0-9]{{1,5}})?", re.ASCII | re.IGNORECASE)
        self._origins = settings.origins
        self._cors = Cors(settings.origins)
        self._page_token = settings.page_token
        self._failures = Failures(settings.login_failures_max)

    def before(self, handle: Handle) -> Handle:
        """Wrap a handler: it gets no stranger's request, and gives no answer but ours."""

        async def guarded(request: web.BaseRequest) -> web.StreamResponse:
            try:
                self.check(request.headers, request.transport)
                if request.method == "OPTIONS" and (told := self._cors.preflight(request)):
                    return told
                answer = await handle(request)
            except Unauthenticated as refusal:
                answer = problem(self._failures.count(request, refusal))
            except BudgetError as refusal:
                answer = problem(refusal)
            except web.HTTPException as native:
                answer = problem(_translated(native))
            except Exception as bug:
                error = mishap(bug, _route(request))
                if request.writer.output_size > 0:
                    raise  # part of an answer is out already
                answer = problem(error)
            if debug_log.enabled:
                debug_log.info("budget_http", f"{_route(request)} is answered {answer.status}")
            return answer

        return guarded if self._page_token is None else self._for_pages(guarded)

    def _for_pages(self, guarded: Handle) -> Handle:
        """Give requests of a named page that bring no token the one that is kept for them."""

        async def helped(request: web.BaseRequest) -> web.StreamResponse:
            headers = request.headers
            if "Authorization" in headers or headers.get("Origin") not in self._origins:
                return await guarded(request)
            told = {**headers, "Authorization": f"Bearer {self._page_token}"}
            page = request.clone(headers=CIMultiDict(told))
            answer = await guarded(page)
            if not answer.prepared:  # aiohttp will prepare it for the request that it knows
                await self._cors.mark(page, answer)
            return answer

        return helped

    def check(self, headers: Mapping[str, str], transport: Transport | None) -> None:
        """Refuse a request that was meant for another server, or comes from a foreign page."""
        host = headers.get("Host", "")
        if not self._host.fullmatch(host) and (host or not _over_unix(transport)):
            raise Misdirected(
                "the Host header does not name this daemon",
                hint="use 127.0.0.1 or localhost, or add the name to the hosts in budget.toml",
            )
        origin = headers.get("Origin")
        if origin is not None and not self._known(origin, host):
            raise Forbidden(
                "pages of this Origin may not call the daemon",
                hint="add it to the origins in budget.toml if it should",
            )

    def _known(self, origin: str, host: str) -> bool:
        return origin in self._origins or origin in (f"http://{host}", f"https://{host}")


def _over_unix(transport: Transport | None) -> bool:
    return transport is not None and not isinstance(transport.get_extra_info("sockname"), tuple)


def _route(request: web.BaseRequest) -> str:
    """Name the route in its own words, never in the caller's."""
    resource = request.match_info.route.resource if isinstance(request, web.Request) else None
    return f"{request.method} {resource.canonical}" if resource is not None else "no route"


def _translated(native: web.HTTPException) -> BudgetError:
    """Put what aiohttp refuses by itself into our words."""
    match native:
        case web.HTTPMethodNotAllowed():
            allow = sorted(native.allowed_methods)
            return MethodNotAllowed(f"this path knows {', '.join(allow)}", allow=allow)
        case web.HTTPRequestEntityTooLarge():
            return TooLarge("the body is larger than this route takes")
        case web.HTTPNotFound():
            return NotFound("no such path", hint="GET /api/v1/openapi.json lists them all")
        case web.HTTPClientError():
            return Malformed(f"the request is refused: {native.reason}")
        case _:
            raise native

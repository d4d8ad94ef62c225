"""`/metrics`, for Prometheus: with a token that may read, like everything else."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from protocols.http.verb import Authenticate, check_role, roles_from
from protocols.metrics import CONTENT_TYPE


def add_metrics(
    router: web.UrlDispatcher, authenticate: Authenticate, text: Callable[[], Awaitable[bytes]]
) -> None:
    readers = roles_from("read")

    async def show_metrics(request: web.Request) -> web.Response:
        check_role(authenticate(request.headers.get("Authorization")), readers, "read")
        headers = {"Content-Type": CONTENT_TYPE, "Server": "budget"}
        return web.Response(body=await text(), headers=headers)

    router.add_get("/metrics", show_metrics)

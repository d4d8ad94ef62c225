"""Browser pages of the origins that were named in budget.toml may call and read; no others.

No cookies are involved: a page needs a token like everybody else.
"""

from aiohttp import web

ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
EXPOSED = "Retry-After, X-Request-Id, x-should-retry"
NO_CONTENT = 204


class Cors:
    """Answers what a browser asks before a call, and lets it read what comes back."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = origins

    def preflight(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to a browser's question; None if it is none, or of a page not named."""
        origin = request.headers.get("Origin")
        if origin not in self._origins or "Access-Control-Request-Method" not in request.headers:
            return None
        allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return web.Response(status=NO_CONTENT, headers=ALLOWED | allowed)

    async def mark(self, request: web.BaseRequest, answer: web.StreamResponse) -> None:
        """Before the head of an answer goes out, streams included."""
        origin = request.headers.get("Origin")
        if origin in self._origins:
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Expose-Headers"] = EXPOSED
            answer.headers["Vary"] = "Origin"

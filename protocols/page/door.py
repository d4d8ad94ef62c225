"""The page's files, read once, and the headers that keep everybody else's script out of it.

The page holds no secret: what it shows it asks for like any client, with a token of its reader's.
"""

from importlib import resources
from typing import Final

from aiohttp import web

TYPES: Final = {
    ".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
}  # fmt: skip
INDEX: Final = "index.html"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
    "Server": "budget",
}


class PageDoor:
    """`/page/…` for the files; `/` for a browser, which says that it wants a page."""

    def __init__(self) -> None:
        folder = resources.files("protocols.page") / "files"
        self.files = {file.name: file.read_bytes() for file in folder.iterdir()}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/page/{name}", self.give)

    def wanted(self, request: web.Request) -> bool:
        return "text/html" in request.headers.get("Accept", "")

    def index(self) -> web.Response:
        return self._file(INDEX)

    async def give(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self.files:
            raise web.HTTPNotFound
        return self._file(name)

    def written(self, page: bytes, kind: str = TYPES[".html"]) -> web.Response:
        """What was written elsewhere, behind the same headers."""
        return web.Response(body=page, content_type=kind, charset="utf-8", headers=HEADERS)

    def _file(self, name: str) -> web.Response:
        return self.written(self.files[name], TYPES[name[name.rindex(".") :]])

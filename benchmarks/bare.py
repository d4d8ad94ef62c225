"""The reference: aiohttp that reads the body and answers a hundred bytes. Run as a program."""

import sys

import anyio
from aiohttp import web

ANSWER = b'{"status":"held","outcome":"allowed","left":"0.012000000","at":"2026-11-23T22:00:00Z"}'


async def answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=ANSWER, status=201, content_type="application/json")


async def serve(socket: str) -> None:
    """Listen on a free port, which is told on stdout, and on the socket."""
    app = web.Application()
    app.router.add_post("/api/v1/reservations", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    await web.UnixSite(runner, socket).start()
    print(site.port, flush=True)
    await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(serve, sys.argv[1], backend_options={"use_uvloop": sys.argv[2] == "uvloop"})

"""A real Chromium without a window, spoken to in its own DevTools protocol over aiohttp."""

import base64
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import anyio
import anyio.to_thread

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LISTENING = "DevTools listening on "
STARTED_WITHIN_S = 60
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--disable-extensions",
    "--force-color-profile=srgb", "--lang=en-US", "--remote-debugging-port=0",
)  # fmt: skip


class Tab:
    """One page, and all that it complained of."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._loaded = False
        self.complaints: list[str] = []
        """Errors of its console, exceptions, and what the content policy blocked."""
        self.asked: list[str] = []
        """The address of every request it made."""

    async def do(self, method: str, **params: Any) -> Any:
        """One command of the protocol; what happens meanwhile is noted."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while (told := await self._heard()).get("id") != number:
            pass
        assert "error" not in told, told["error"]
        return told["result"]

    async def _heard(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((await self._socket.receive()).data)
        self._note(told)
        return told

    def _note(self, told: dict[str, Any]) -> None:
        params = told.get("params", {})
        match told.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(params["exceptionDetails"])[:500])
            case "Runtime.consoleAPICalled" if params["type"] == "error":
                self.complaints.append(json.dumps(params["args"])[:500])
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url')}")
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.asked.append(params["request"]["url"])

    async def open(self, url: str) -> None:
        for domain in ("Runtime", "Log", "Network", "Page"):
            await self.do(f"{domain}.enable")
        await self._load("Page.navigate", url=url)

    async def reload(self) -> None:
        await self._load("Page.reload")

    async def _load(self, method: str, **params: Any) -> None:
        self._loaded = False
        await self.do(method, **params)
        with anyio.fail_after(STARTED_WITHIN_S):
            while not self._loaded:
                await self._heard()

    async def value(self, expression: str) -> Any:
        """What an expression is in the page; a promise is waited for."""
        found = await self.do(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, condition: str, within_s: float = 20.0) -> Any:
        """Wait in the page itself, frame by frame, until the condition is true of it."""
        watch = f"""new Promise((found) => {{
            const look = () => {{ const seen = {condition};
                if (seen) found(seen); else requestAnimationFrame(look); }};
            look();
        }})"""
        try:
            with anyio.fail_after(within_s):
                return await self.value(watch)
        except TimeoutError:
            shown = await self.value("document.body.innerText")
            raise AssertionError(f"{condition} never came:\n{shown}\n{self.complaints}") from None

    async def press(self, key: str) -> None:
        """A key goes down and up, as from a keyboard."""
        codes = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowRight": 39, "End": 35}
        text = {"text": "\r"} if key == "Enter" else {}
        for way in ("keyDown", "keyUp"):
            await self.do(
                "Input.dispatchKeyEvent", type=way, key=key, code=key,
                windowsVirtualKeyCode=codes[key], **(text if way == "keyDown" else {}),
            )  # fmt: skip

    async def look(self, width: int, height: int, scheme: str = "light") -> bytes:
        """A screenshot (PNG) at this size, in light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.do("Emulation.setEmulatedMedia", features=features)
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        await self.value("new Promise((done) => setTimeout(done, 300))")
        shot = await self.do("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def chromium(home: Path) -> AsyncIterator[Tab]:
    """A browser of its own with one empty tab; when left, it is gone."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={home}", "about:blank"]
    process = _started(command)
    try:
        with anyio.fail_after(STARTED_WITHIN_S):
            place = await anyio.to_thread.run_sync(_address, process, abandon_on_cancel=True)
        port = place.split("/")[2].rpartition(":")[2]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            tabs = await (await session.get("/json/list")).json()
            page = next(tab for tab in tabs if tab["type"] == "page")
            path = page["webSocketDebuggerUrl"].partition(str(port))[2]
            async with session.ws_connect(path, max_msg_size=0) as socket:
                yield Tab(socket)
    finally:
        process.terminate()
        await anyio.to_thread.run_sync(_ended, process)


def _started(command: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def _address(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        text = line.decode(errors="replace")
        if LISTENING in text:
            return text.partition(LISTENING)[2].strip()
    raise AssertionError("the browser ended before it listened")


def _ended(process: "subprocess.Popen[bytes]") -> None:
    assert process.stderr is not None
    with process.stderr:
        process.stderr.read()
        process.wait(30)

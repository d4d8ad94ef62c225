"""A language model behind the chat completions API: any address that speaks it, no other."""

import logging
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from actors.assistant.ports import ModelFailed, ToolCall, Turn

log = logging.getLogger("budget.assistant")

Json = dict[str, Any]
Hear = Callable[[str], None]
TEXT_MAX = 100_000
"""Characters of one turn; a server that says more is cut off."""
NO_KEY = "none"
"""What is sent where no key file is named: servers on this machine ask for none."""


class OpenAIModel:
    """Streams each turn. Never follows a redirect, never reads a proxy from the environment."""

    def __init__(self, provider: str, name: str, base_url: str, key_file: Path | None) -> None:
        self.provider = provider
        self.name = name
        self._base_url = base_url
        self._key_file = key_file

    async def complete(
        self, messages: list[Json], tools: list[Json], output_max: int, hear: Hear
    ) -> Turn:
        # two seconds, and only for those who ask
        openai = await anyio.to_thread.run_sync(import_module, "openai")
        httpx = await anyio.to_thread.run_sync(import_module, "httpx2")
        heard = Heard(hear)
        try:
            async with (
                httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=None) as http,
                openai.AsyncOpenAI(
                    api_key=self._key(), base_url=self._base_url, http_client=http, max_retries=0,
                    timeout=None,
                ) as client,
            ):  # fmt: skip
                stream = await client.chat.completions.create(
                    model=self.name, messages=messages, tools=tools, stream=True,
                    stream_options={"include_usage": True}, max_completion_tokens=output_max,
                )  # fmt: skip
                await heard.listen(stream)
        except (openai.OpenAIError, httpx.HTTPError, OSError, ValueError, KeyError) as problem:
            raise ModelFailed(_plain(problem), heard.so_far) from None
        return heard.turn()

    def _key(self) -> str:
        """Read it anew, so that it can be changed while the daemon runs."""
        if self._key_file is None:
            return NO_KEY
        try:
            return self._key_file.read_text(encoding="utf-8").strip() or NO_KEY
        except OSError as problem:
            raise ModelFailed(f"the key file cannot be read: {problem.strerror}") from None


class Heard:
    """A turn as its pieces come."""

    def __init__(self, hear: Hear) -> None:
        self.hear = hear
        self.text = ""
        self.calls: dict[int, ToolCall] = {}
        self.usage: Json | None = None
        self.began = False
        self.finished = False

    @property
    def so_far(self) -> str | None:
        """None if nothing came: then nothing was used."""
        return self.text + "".join(c.arguments for c in self.calls.values()) if self.began else None

    async def listen(self, stream: AsyncIterator[Any]) -> None:
        async for chunk in stream:
            self.began = True
            if chunk.usage is not None:
                self.usage = chunk.usage.model_dump(mode="json", exclude_none=True)
            for choice in chunk.choices or ():
                self._take(choice)
            if len(self.so_far or "") > TEXT_MAX:
                raise ModelFailed(f"the model said more than {TEXT_MAX} characters", self.so_far)

    def _take(self, choice: Any) -> None:
        self.finished = self.finished or choice.finish_reason is not None
        if choice.delta.content:
            self.text += choice.delta.content
            self.hear(self.text)
        for piece in choice.delta.tool_calls or ():
            call = self.calls.setdefault(piece.index, ToolCall("", "", ""))
            call.id = piece.id or call.id
            if piece.function is not None:
                call.name += piece.function.name or ""
                call.arguments += piece.function.arguments or ""

    def turn(self) -> Turn:
        if not self.finished:
            raise ModelFailed("the model's answer broke off", self.so_far)
        if not self.text and not self.calls:
            raise ModelFailed("the model said nothing", self.so_far)
        return Turn(self.text, [self.calls[place] for place in sorted(self.calls)], self.usage)


def _plain(problem: Exception) -> str:
    """Say what went wrong in one line, without what a server may have put into it."""
    status = getattr(problem, "status_code", None)
    if status is not None:
        return f"the model's server answered {status}"
    log.info("the model's server failed: %r", problem)
    return f"the model's server gave no answer ({type(problem).__name__})"

"""The express lane: bytes in, bytes out, for operations that bring their fields in a body.

It takes only what is plainly good. A request with anything wrong or unusual about it is left to
the ordinary routes, which do the same checks and say what is the matter.
"""

import re
from asyncio import Transport  # noqa: TID251  # what a connection writes to
from collections.abc import Callable, Iterable

from aiohttp.http_parser import RawRequestMessage

from protocols.debug import debug_log
from protocols.errors import BudgetError, Busy
from protocols.http.body import check_kind, parse
from protocols.http.crowd import Crowd
from protocols.http.guard import Guard
from protocols.http.heads import Head, Heads, take_apart
from protocols.http.reply import in_bytes, mishap, problem_in_bytes
from protocols.http.routes import placed
from protocols.http.settings import PREFIX
from protocols.http.verb import KEY_HEADER, Authenticate, Verb
from protocols.message import Put

Answered = Callable[[bytes], None]
Pattern = tuple[re.Pattern[str], Verb]


class Express:
    """Knows the verbs by their paths."""

    def __init__(
        self,
        verbs: Iterable[Verb],
        put: Put,
        authenticate: Authenticate,
        guard: Guard,
        crowd: Crowd,
        bytes_max: int,
    ) -> None:
        self._bytes_max = bytes_max
        self._put = put
        self._authenticate = authenticate
        self._guard = guard
        self._crowd = crowd
        self._heads = Heads()
        self._plain: dict[str, Verb] = {}
        self._patterns: dict[str, list[Pattern]] = {}
        """Paths with a field in them, by their last part."""
        for verb in verbs:
            operation = verb.operation
            if operation.method != "POST" or operation.waits or operation.role == "admin":
                continue  # what an admin decides is seldom, and kept with where it came from
            path = PREFIX + verb.operation.path
            if verb.operation.path_fields:
                last = path.rpartition("/")[2]
                self._patterns.setdefault(last, []).append((_pattern(path), verb))
            else:
                self._plain[path] = verb

    def take(
        self,
        message: RawRequestMessage,
        body: bytes,
        transport: Transport | None,
        answered: Answered,
        block: bytes | None,
    ) -> bool:
        """Take the request if it is plainly good: then `answered` gets the whole answer.

        `block`: its header as `take_apart` leaves it, to be known when it comes again.
        """
        if message.method != "POST" or message.should_close or debug_log.enabled:
            return False
        headers = message.headers
        if "Expect" in headers or "Origin" in headers:  # a browser's page gets more headers back
            return False
        try:
            self._guard.check(headers, transport)
            check_kind(headers)
        except BudgetError:
            return False
        head = Head(headers.get("Authorization"))
        if not self._begin(message.path, body, head, headers.get(KEY_HEADER), answered):
            return False
        if block is not None and headers.get("Host"):  # without one, it is good on a socket only
            self._heads.learn(block, head)
        return True

    def take_again(self, data: bytes, answered: Answered) -> bool:
        """`take`, without parsing, if everything but length, key and body came before."""
        parts = take_apart(data)
        if parts is None or debug_log.enabled:
            return False
        head = self._heads.find(parts.block)
        if head is None:
            return False
        key = None if parts.key is None else parts.key.decode("latin-1")
        return self._begin(parts.path.decode("latin-1"), parts.body, head, key, answered)

    def _begin(
        self, path: str, body: bytes, head: Head, key: str | None, answered: Answered
    ) -> bool:
        found = self._find(path)
        if found is None or not 0 < len(body) <= self._bytes_max:
            return False
        verb, fields = found
        crowd = self._crowd if verb.begins else None
        if crowd is not None and (no := crowd.turns_away()) is not None:
            answered(no)
            return True
        try:
            caller = self._authenticate(head.authorization)
            verb.admit(caller)
            request = verb.understand(placed(fields, parse(body), "body"))
            if key is not None:
                caller = verb.keyed(caller, key, path, body)
            done = _Answer(verb, answered, crowd)
            self._put(verb.address(request, caller), request, caller, done)
        except Busy as refusal:
            answered(problem_in_bytes(refusal))  # it must cost little to say no
        except BudgetError:
            return False
        else:
            if crowd is not None:
                crowd.enter()
        return True

    def _find(self, path: str) -> tuple[Verb, dict[str, str]] | None:
        verb = self._plain.get(path)
        if verb is not None:
            return verb, {}
        for pattern, other in self._patterns.get(path.rpartition("/")[2], ()):
            match = pattern.fullmatch(path)
            if match is not None:
                return other, match.groupdict()
        return None


def _pattern(path: str) -> re.Pattern[str]:
    """`/reservations/{reservation_id}/settle`; a field is of letters that need no escape."""
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[A-Za-z0-9._:@-]+)", path), re.ASCII)


class _Answer:
    """What writes the reply. It is called by whoever finished the work, who must not suffer."""

    __slots__ = ("_answered", "_crowd", "_verb")

    def __init__(self, verb: Verb, answered: Answered, crowd: Crowd | None) -> None:
        self._verb = verb
        self._answered = answered
        self._crowd = crowd

    def __call__(self, reply: object) -> None:
        verb = self._verb
        if self._crowd is not None:
            self._crowd.leave()
        try:
            if isinstance(reply, Exception):
                answer = self._refused(reply)
            else:
                answer = in_bytes(verb.write(reply), verb.operation.status)
        except Exception as bug:  # noqa: BLE001
            answer = self._refused(bug)
        self._answered(answer)

    def _refused(self, error: Exception) -> bytes:
        where = f"POST {PREFIX}{self._verb.operation.path}"
        return problem_in_bytes(error if isinstance(error, BudgetError) else mishap(error, where))

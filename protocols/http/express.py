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
from protocols.http.guard import Guard
from protocols.http.reply import in_bytes, mishap, problem_in_bytes
from protocols.http.routes import placed
from protocols.http.settings import PREFIX
from protocols.http.verb import KEY_HEADER, Authenticate, Verb
from protocols.message import Done, Put

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
        bytes_max: int,
    ) -> None:
        self._bytes_max = bytes_max
        self._put = put
        self._authenticate = authenticate
        self._guard = guard
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
    ) -> bool:
        """Take the request if it is plainly good: then `answered` gets the whole answer."""
        if message.method != "POST" or message.should_close or debug_log.enabled:
            return False
        found = self._find(message.path)
        headers = message.headers
        if found is None or not 0 < len(body) <= self._bytes_max:
            return False
        if "Expect" in headers or "Origin" in headers:  # a browser's page gets more headers back
            return False
        verb, fields = found
        try:
            self._guard.check(headers, transport)
            caller = self._authenticate(headers.get("Authorization"))
            verb.admit(caller)
            check_kind(headers)
            request = verb.understand(placed(fields, parse(body), "body"))
            if (key := headers.get(KEY_HEADER)) is not None:
                caller = verb.keyed(caller, key, message.path, body)
            self._put(verb.address(request, caller), request, caller, _answer(verb, answered))
        except Busy as refusal:
            answered(problem_in_bytes(refusal))  # it must cost little to say no
        except BudgetError:
            return False
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


def _answer(verb: Verb, answered: Answered) -> Done:
    """What writes the reply. It is called by whoever finished the work, who must not suffer."""
    where = f"POST {PREFIX}{verb.operation.path}"

    def done(reply: object) -> None:
        answered(_refused(reply, where) if isinstance(reply, Exception) else written(reply))

    def written(reply: object) -> bytes:
        try:
            return in_bytes(verb.write(reply), verb.operation.status)
        except Exception as bug:  # noqa: BLE001
            return _refused(bug, where)

    return done


def _refused(error: Exception, where: str) -> bytes:
    return problem_in_bytes(error if isinstance(error, BudgetError) else mishap(error, where))

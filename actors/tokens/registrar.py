"""The registrar: makes and revokes tokens. Each takes effect when its entry is on disk."""

from collections.abc import Callable, Iterable
from typing import Any, assert_never

from actors.runtime import Awaited, ServiceActor
from actors.tell import Tell
from actors.time import LedgerTime
from actors.tokens.known import ID, Known, KnownTokens, digest, new_token
from protocols.errors import BudgetError, Invalid, NotFound
from protocols.journal import Append, Draft
from protocols.message import Call, Caller
from protocols.period import rfc3339
from protocols.tokens import (
    ListTokens,
    MakeToken,
    RevokeToken,
    TokenList,
    TokenMade,
    TokenRevoked,
    TokenShown,
)

Heard = MakeToken | ListTokens | RevokeToken


class Registrar(ServiceActor):
    """Owns what `KnownTokens` knows beyond the files."""

    def __init__(
        self, tell: Tell, time: LedgerTime, tokens: KnownTokens, kept: Iterable[dict[str, Any]]
    ) -> None:
        super().__init__("tokens")
        self.tell = tell
        self.time = time
        self.tokens = tokens
        self.under_way: set[str] = set()
        """Names whose token is being written down."""
        for known in list(tokens.by_id.values()):
            if known.made_ms is not None:
                tokens.forget(known)
        for body in kept:
            tokens.learn(known_of(body))

    def receive(self, message: Heard, call: Call[Any]) -> None:
        match message:
            case MakeToken():
                self.make(message, call)
            case RevokeToken():
                self.revoke(message, call)
            case ListTokens():
                call.answer(self.page(message))
            case _:
                assert_never(message)

    def make(self, ask: MakeToken, call: Call[Any]) -> None:
        now_ms = self.time.now_ms()
        old = self.tokens.named(ask.name)
        if ask.name in self.under_way or (old is not None and not old.expired(now_ms)):
            raise taken(ask.name)
        token = new_token()
        body = {
            "name": ask.name, "id": token[ID], "role": ask.role, "components": ask.components,
            "digest": digest(token).hex(), "made_ms": now_ms, "by": call.caller.name,
            "expires_ms": None if ask.expires_in_s is None else now_ms + ask.expires_in_s * 1000,
            "why": ask.why,
        }  # fmt: skip
        made = TokenMade(token, shown(known_of(body), now_ms))

        def take_effect() -> None:
            if old is not None:
                self.tokens.forget(old)
            self.tokens.learn(known_of(body))

        self.under_way.add(ask.name)
        self.spawn(self.keep, Draft("token_made", "", ask.name, body), made, take_effect, call)

    def revoke(self, ask: RevokeToken, call: Call[Any]) -> None:
        known = self.tokens.named(ask.name)
        if known is None:
            raise NotFound(f"there is no token {ask.name}", hint="`budget token list` shows them")
        if known.made_ms is None:
            raise in_a_file(ask.name)
        body = {"id": known.id, "by": call.caller.name, "why": ask.why}
        draft = Draft("token_revoked", "", ask.name, body)
        self.spawn(self.keep, draft, TokenRevoked(ask.name, known.id),
                   lambda: self.tokens.forget(known), call)  # fmt: skip

    async def keep(
        self, draft: Draft, reply: Any, take_effect: Callable[[], None], call: Call[Any]
    ) -> None:
        """The entry first, then the effect, then the answer."""
        written = Awaited(call.caller)
        self.tell("journal", Append([draft], reply, stamp=True), written)
        try:
            await written.reply()
        except BudgetError as error:
            call.refuse(error)
        else:
            take_effect()
            call.answer(reply)
        finally:
            self.under_way.discard(draft.subject)

    def page(self, ask: ListTokens) -> TokenList:
        now_ms = self.time.now_ms()
        known = sorted(self.tokens.by_id.values(), key=lambda one: one.caller.name)
        after = [one for one in known if ask.cursor is None or one.caller.name > ask.cursor]
        page = [shown(one, now_ms) for one in after[: ask.limit]]
        return TokenList(page, page[-1].name if len(after) > ask.limit else None)


def known_of(body: dict[str, Any]) -> Known:
    """Read the body of a `token_made` entry."""
    scope = frozenset(body["components"]) or None
    return Known(
        body["id"],
        bytes.fromhex(body["digest"]),
        Caller(body["name"], body["role"], scope),
        body["by"],
        body["made_ms"],
        body["expires_ms"],
    )


def shown(known: Known, now_ms: int) -> TokenShown:
    caller = known.caller
    return TokenShown(
        name=caller.name,
        id=known.id,
        role=caller.role,
        components=sorted(caller.components or ()),
        made_by=known.made_by,
        made_at=moment(known.made_ms),
        expires_at=moment(known.expires_ms),
        expired=known.expired(now_ms),
        last_used_at=moment(known.used_ms),
    )


def moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def taken(name: str) -> Invalid:
    errors = [{"field": "name", "problem": "a token of this name exists",
               "remedy": "revoke it first, or choose another name"}]  # fmt: skip
    return Invalid(f"there is a token {name} already", errors=errors)


def in_a_file(name: str) -> Invalid:
    remedy = "take it out of budget.toml and restart; delete its file to renew the secret"
    errors = [{"field": "name", "problem": "this token lies in a file", "remedy": remedy}]
    return Invalid(f"{name} is not the registrar's to revoke", errors=errors)

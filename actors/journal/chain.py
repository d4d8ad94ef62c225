"""The hash chain: each entry vouches for itself and for all before it."""

import hashlib
from typing import Any

from pydantic_core import to_json

from protocols.journal import Draft, Entry

GENESIS = bytes(32)


def link(before: bytes, seq: int, at_ms: int, draft: Draft) -> Entry:
    """Number a draft and chain it to its predecessor."""
    text = canonical(draft.body)
    digest = hash_of(before, seq, at_ms, draft.kind, draft.component, draft.subject, text)
    return Entry(seq, at_ms, draft.kind, draft.component, draft.subject, text, draft.body, digest)


def hash_of(
    before: bytes, seq: int, at_ms: int, kind: str, component: str, subject: str, text: str
) -> bytes:
    line = f"{seq}\n{at_ms}\n{kind}\n{component}\n{subject}\n{text}"
    return hashlib.sha256(before + line.encode()).digest()


def canonical(body: dict[str, Any]) -> str:
    """The body as it is stored and hashed."""
    return to_json(body).decode()

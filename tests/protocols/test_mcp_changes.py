"""Which resources an event says something new about."""

import json

import pytest

from protocols.events import StoredEvent
from protocols.mcp.changes import addresses
from protocols.mcp.resources import PAGES


def event(kind: str, subject: str, **data: object) -> StoredEvent:
    return StoredEvent(
        1, 1, 0, kind, "info", "", subject, None, raised=False, data=json.dumps(data)
    )


@pytest.mark.parametrize(
    ("told", "changed"),
    [
        (event("policy.changed", "team/a"), ["budget://all", "budget://team%2Fa"]),
        (event("call.denied", "pocket"), ["budget://all", "budget://pocket"]),
        (event("limit.reached", "pocket"), ["budget://all", "budget://pocket"]),
        (
            event("price.changed", "x", price_versions=["openai/gpt-5@2026-11-24", "a/b/c@1"]),
            ["prices://openai/gpt-5", "prices://a/b%2Fc"],
        ),
        (event("token.made", "apollo"), []),
    ],
)
def test_an_event_names_the_resources_it_is_about(told: StoredEvent, changed: list[str]) -> None:
    assert list(addresses(told)) == changed
    for uri in changed:
        assert any(page.fields(uri) is not None for page in PAGES)


def test_an_address_is_read_back_as_it_was_written() -> None:
    page = next(page for page in PAGES if page.operation == "show_price")

    assert page.fields("prices://a/b%2Fc") == {"provider": "a", "model": "b/c"}
    assert page.fields("prices://a") is None

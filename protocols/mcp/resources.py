"""What a client may read and watch: balances, prices and reports, each as JSON."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from protocols.errors import BudgetError
from protocols.http.verb import Verb
from protocols.mcp.context import Context, caller_of
from protocols.message import Ask
from protocols.operations import BY_NAME
from protocols.policy.messages import ListPolicies

JSON = "application/json"
RESOURCE_NOT_FOUND = -32002
EVERYTHING = "budget://all"
POLICIES_MAX = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A kind of resource: where it is, and the question it answers."""

    template: str
    operation: str
    title: str
    text: str
    always: Mapping[str, Any] = field(default_factory=dict)

    def fields(self, uri: str) -> dict[str, Any] | None:
        """Take the fields of the question from an address; None if it is another's."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        found = re.fullmatch(pattern, uri)
        if found is None:
            return None
        named = {name: unquote(value) for name, value in found.groupdict().items()}
        return {**named, **self.always}


ALL = Page(
    EVERYTHING, "show_balances", "All budgets", "Limit, used, held and left of every open limit."
)
PAGES = (
    ALL,
    Page("budget://{policy}", "show_balances", "One budget", "Where one policy stands now."),
    Page(
        "prices://{provider}/{model}", "show_price", "One price",
        "The price in force for a model, with its date and source.",
    ),
    Page(
        "report://{span}", "show_report", "What was spent",
        "today, yesterday, this_week, last_month, last_7_days …: sums by component and model.",
        {"group_by": ["component", "model"]},
    ),
)  # fmt: skip


class Resources:
    """Answers with the operations that are there anyway, for the caller's role and scope."""

    def __init__(self, ask: Ask) -> None:
        self._verbs = {page.operation: Verb(BY_NAME[page.operation], ask) for page in PAGES}
        self._ask = ask

    async def list(self, ctx: Context, _: PaginatedRequestParams | None) -> ListResourcesResult:
        """List the whole, and each policy by its name."""
        policies = await self._ask("policy", ListPolicies(limit=POLICIES_MAX), caller_of(ctx))
        names = [shown.policy.name for shown in policies.items]
        return ListResourcesResult(
            resources=[
                Resource(name="all", uri=EVERYTHING, title=ALL.title, description=ALL.text,
                         mime_type=JSON),
                *(Resource(name=name, uri=address(name), mime_type=JSON) for name in names),
            ]
        )  # fmt: skip

    async def templates(
        self, _ctx: Context, _: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        return ListResourceTemplatesResult(
            resource_templates=[
                ResourceTemplate(
                    name=page.operation, uri_template=page.template, title=page.title,
                    description=page.text, mime_type=JSON,
                )
                for page in PAGES if page is not ALL
            ]
        )  # fmt: skip

    async def read(self, ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        for page in PAGES:
            if (fields := page.fields(params.uri)) is not None:
                text = await self._answer(page, fields, ctx)
                content = TextResourceContents(uri=params.uri, mime_type=JSON, text=text)
                return ReadResourceResult(contents=[content])
        known = ", ".join(page.template for page in PAGES)
        raise MCPError(RESOURCE_NOT_FOUND, f"there is no such resource; known: {known}")

    async def _answer(self, page: Page, fields: dict[str, Any], ctx: Context) -> str:
        verb = self._verbs[page.operation]
        try:
            verb.admit(caller_of(ctx))
            return (await verb.ask(verb.understand(fields), caller_of(ctx))).decode()
        except BudgetError as refusal:
            code = RESOURCE_NOT_FOUND if refusal.code == "not-found" else INVALID_PARAMS
            raise MCPError(code, refusal.detail, data=refusal.problem()) from None


def price_address(provider: str, model: str) -> str:
    return f"prices://{quote(provider, safe='')}/{quote(model, safe='')}"


def address(policy: str) -> str:
    """Where a policy's balance is. Names may have characters that an address may not."""
    return f"budget://{quote(policy, safe='')}"

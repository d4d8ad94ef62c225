"""Two prompts a person may pick: look back at the spending, or plan within an amount."""

import re

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from protocols.mcp.context import Context

TEXT_MAX = 2000
REVIEW = Prompt(
    name="review_spend",
    title="Review the spending",
    description="Look at a period's spending and say what stands out.",
    arguments=[PromptArgument(name="period", description="such as today or this month")],
)
PLAN = Prompt(
    name="plan_within_budget",
    title="Plan within a budget",
    description="Plan a task so that it stays within an amount of money.",
    arguments=[
        PromptArgument(name="amount_usd", description="in USD, such as 2.50", required=True),
        PromptArgument(name="task", description="what is to be done", required=True),
    ],
)
WORDS = {
    REVIEW.name: "Look at the spending of this period: {period}. Use the budget tools; quote each "
    "figure with the tool it came from. Say which component, model and task cost most, which "
    "limits were nearly reached, and what could be cheaper. Change nothing.",
    PLAN.name: "Plan this task so that all its model calls together cost at most {amount_usd} USD. "
    "Check prices and what is left with the budget tools before you choose models, hold budget "
    "before each call and settle it after. If it does not fit, say what would.\n\nTask: {task}",
}
PROMPTS = (REVIEW, PLAN)
AMOUNT = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


async def list_prompts(_ctx: Context, _: PaginatedRequestParams | None) -> ListPromptsResult:
    return ListPromptsResult(prompts=list(PROMPTS))


async def get_prompt(_ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
    prompt = next((prompt for prompt in PROMPTS if prompt.name == params.name), None)
    if prompt is None:
        known = ", ".join(prompt.name for prompt in PROMPTS)
        raise MCPError(INVALID_PARAMS, f"there is no such prompt; known: {known}")
    given = {"period": "today"} | (params.arguments or {})
    _check(prompt, given)
    words = TextContent(type="text", text=WORDS[prompt.name].format_map(given))
    return GetPromptResult(
        description=prompt.description, messages=[PromptMessage(role="user", content=words)]
    )


def _check(prompt: Prompt, given: dict[str, str]) -> None:
    missing = [argument.name for argument in prompt.arguments or [] if not given.get(argument.name)]
    if missing:
        raise MCPError(INVALID_PARAMS, f"missing: {', '.join(missing)}")
    if not AMOUNT.fullmatch(given.get("amount_usd", "0")):
        raise MCPError(INVALID_PARAMS, "amount_usd: write a decimal number of USD, such as 2.50")
    if any(len(value) > TEXT_MAX for value in given.values()):
        raise MCPError(INVALID_PARAMS, f"an argument is longer than {TEXT_MAX} characters")

"""Asking the person behind the client, in both protocol eras, before something is changed."""

from typing import Any

from mcp_types import (
    CallToolRequestParams,
    ClientCapabilities,
    ElicitationCapability,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from protocols.errors import Forbidden
from protocols.mcp.context import Context
from protocols.message import Request

CONFIRM = "confirm"
STATE = "asked"
FORM = {
    "type": "object",
    "properties": {CONFIRM: {"type": "boolean", "title": "Do it", "default": False}},
    "required": [CONFIRM],
}


class Asked(Exception):
    """The client has to ask the person and call again with the answer."""

    def __init__(self, result: InputRequiredResult) -> None:
        super().__init__("a person is asked")
        self.result = result


async def confirmed(
    question: str, message: Request[Any], ctx: Context, params: CallToolRequestParams
) -> None:
    """Return when the person said yes. Raises `Forbidden` when they did not, or cannot be asked."""
    if not ctx.session.check_client_capability(
        ClientCapabilities(elicitation=ElicitationCapability())
    ):
        raise Forbidden(
            "a person has to confirm this, and your client cannot ask one",
            hint="use `budget policy` in a terminal, or a client with elicitation",
        )
    words = question.format_map(_shown(message))
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        said = _answer(words, params)
    else:
        said = await ctx.session.elicit_form(words, FORM, ctx.request_id)
    if said.action != "accept" or (said.content or {}).get(CONFIRM) is not True:
        raise Forbidden("the person did not confirm it", hint="ask them what they want instead")


def _answer(words: str, params: CallToolRequestParams) -> ElicitResult:
    """Take the answer that came with the call, if this very call was asked about before."""
    said = (params.input_responses or {}).get(CONFIRM)
    if params.request_state == STATE and isinstance(said, ElicitResult):
        return said
    form = ElicitRequestFormParams(message=words, requested_schema=FORM)
    raise Asked(
        InputRequiredResult(
            input_requests={CONFIRM: ElicitRequest(params=form)}, request_state=STATE
        )
    )


def _shown(message: Request[Any]) -> dict[str, str]:
    """Write the fields as a person reads them."""
    fields = message.model_dump(mode="json", exclude_none=True)
    return {name: _words(value) for name, value in fields.items()}


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items() if part)
    return str(value)

"""The words of routing: abilities, orders, reasons. Nothing else, so that all can know them."""

from typing import Literal, get_args

Capability = Literal[
    "audio_input", "audio_output", "computer_use", "json_schema", "pdf", "prompt_caching",
    "reasoning", "tools", "video_input", "vision", "web_search",
]  # fmt: skip
CAPABILITIES: tuple[Capability, ...] = get_args(Capability)

Order = Literal["nearest", "cheapest", "listed"]
ORDERS: tuple[Order, ...] = get_args(Order)

Reason = Literal[
    "retired", "window", "window_unknown", "output", "lacks", "abilities_unknown", "unpriced",
    "not_chat", "tier", "dearer", "max_usd", "limit", "allocation",
]  # fmt: skip
"""Why a candidate is refused. The last two are about the budget, the others about the model."""

"""THE TABLE: every verb, who hears it, its route, its role, and the words a model reads.

HTTP, OpenAPI, the command line's client and the snapshots are derived from it. What cannot be
derived (streams, health, the batch) is listed in `NOT_DERIVED` and counted by a test.

`actor` is an address: `ledger:{component}` and `hold:{reservation_id}` are filled from the
request's own fields.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from protocols import tools
from protocols.alerts import AcknowledgeAlert, ListAlerts, ShowAlert
from protocols.archive import ArchiveMonths, ShowArchive
from protocols.assistant import (
    ApplyProposal,
    AskAssistant,
    DismissProposal,
    ListProposals,
    ShowAnswer,
    ShowProposal,
)
from protocols.channels import ListChannels, TestChannel
from protocols.events import ListEvents
from protocols.hindsight import Replay, ShowReplay
from protocols.imports import ImportUsage, ListImports, UndoImport
from protocols.journal import ListEntries
from protocols.ledger import (
    Allocate,
    Check,
    Explain,
    Extend,
    ExtendAllocation,
    ListAllocations,
    ListReservations,
    Record,
    Release,
    ReleaseAllocation,
    Reserve,
    Settle,
    ShowAllocation,
    ShowReservation,
)
from protocols.message import Request, Role, reply_of
from protocols.policy.messages import (
    ListBudgets,
    ListPolicies,
    RemoveBudget,
    RemovePolicy,
    SetBudget,
    SetPolicy,
    ShowBalances,
    ShowPolicy,
)
from protocols.prices import ListPrices, Quote
from protocols.prices.changes import (
    ApprovePrice,
    DiffPrices,
    ListPriceHistory,
    ListQuarantine,
    PinPrice,
    PreviewPrice,
    RejectPrice,
    RollbackPrice,
    SetPrice,
    ShowPrice,
)
from protocols.prices.sources import ApproveSource, ListPriceSources, RefreshPrices
from protocols.recommend import RecommendModels
from protocols.reports import ListPaces, ShowReport
from protocols.routing.messages import Route
from protocols.savings import FindSavings
from protocols.tekton.routes import ROUTES
from protocols.tokens import ListTokens, MakeToken, RevokeToken

PREFIX = "/api/v1"
LEDGER = "ledger:"
"""How the addresses of ledgers begin."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One row. `keyed` operations remember their answer under an Idempotency-Key."""

    name: str
    request: type[Request[Any]]
    actor: str
    method: Literal["GET", "POST", "DELETE"]
    path: str
    role: Role
    status: int = 200
    keyed: bool = False
    tool: tools.Tool | None = None
    waits: bool = False
    """Its answer may take longer than a request may: whoever asks looks after it."""

    @property
    def reply(self) -> type[Any]:
        return reply_of(self.request)

    @property
    def path_fields(self) -> tuple[str, ...]:
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))

    @property
    def begins(self) -> bool:
        """Whether it asks a ledger for something new; others are about a hold that is there."""
        return self.actor.startswith(LEDGER)

    def address(self, request: Request[Any]) -> str:
        """The actor's address for this very request."""
        kind, field = template(self.actor)
        return kind if field is None else f"{kind}:{getattr(request, field)}"


@cache
def template(actor: str) -> tuple[str, str | None]:
    """`ledger:{component}` → ("ledger", "component"); `policy` → ("policy", None)."""
    kind, _, field = actor.partition(":")
    return kind, field[1:-1] or None


OPERATIONS: tuple[Operation, ...] = (
    Operation("reserve", Reserve, "ledger:{component}", "POST", "/reservations", "report",
              status=201, keyed=True, tool=tools.RESERVE),
    Operation("list_reservations", ListReservations, "journal", "GET", "/reservations", "read"),
    Operation("show_reservation", ShowReservation, "hold:{reservation_id}", "GET",
              "/reservations/{reservation_id}", "read"),
    Operation("settle", Settle, "hold:{reservation_id}", "POST",
              "/reservations/{reservation_id}/settle", "report", keyed=True, tool=tools.SETTLE),
    Operation("release", Release, "hold:{reservation_id}", "POST",
              "/reservations/{reservation_id}/release", "report", keyed=True),
    Operation("extend", Extend, "hold:{reservation_id}", "POST",
              "/reservations/{reservation_id}/extend", "report", keyed=True),
    Operation("allocate", Allocate, "ledger:{component}", "POST", "/allocations", "report",
              status=201, keyed=True),
    Operation("list_allocations", ListAllocations, "journal", "GET", "/allocations", "read"),
    Operation("show_allocation", ShowAllocation, "hold:{allocation_id}", "GET",
              "/allocations/{allocation_id}", "read"),
    Operation("extend_allocation", ExtendAllocation, "hold:{allocation_id}", "POST",
              "/allocations/{allocation_id}/extend", "report", keyed=True),
    Operation("release_allocation", ReleaseAllocation, "hold:{allocation_id}", "POST",
              "/allocations/{allocation_id}/release", "report", keyed=True),
    Operation("record", Record, "ledger:{component}", "POST", "/usage", "report",
              status=201, keyed=True, tool=tools.RECORD),
    Operation("check", Check, "ledger:{component}", "POST", "/check", "read", tool=tools.CHECK),
    Operation("explain", Explain, "ledger:{component}", "POST", "/explain", "read",
              tool=tools.EXPLAIN),
    Operation("route", Route, "ledger:{component}", "POST", "/route", "report", keyed=True,
              tool=tools.ROUTE),
    Operation("set_policy", SetPolicy, "policy", "POST", "/policies", "admin", status=201,
              tool=tools.SET_POLICY),
    Operation("list_policies", ListPolicies, "policy", "GET", "/policies", "read"),
    Operation("show_policy", ShowPolicy, "policy", "GET", "/policies/{name}", "read"),
    Operation("remove_policy", RemovePolicy, "policy", "DELETE", "/policies/{name}", "admin",
              tool=tools.REMOVE_POLICY),
    Operation("set_budget", SetBudget, "policy", "POST", "/budgets", "admin", status=201),
    Operation("list_budgets", ListBudgets, "policy", "GET", "/budgets", "read"),
    Operation("remove_budget", RemoveBudget, "policy", "DELETE", "/budgets/{budget_id}", "admin"),
    Operation("show_balances", ShowBalances, "policy", "GET", "/balances", "read",
              tool=tools.STATUS),
    Operation("show_report", ShowReport, "journal", "POST", "/reports", "read",
              tool=tools.REPORT),
    Operation("find_savings", FindSavings, "hindsight", "POST", "/savings", "read",
              waits=True),
    Operation("replay", Replay, "hindsight", "POST", "/replay", "read", tool=tools.REPLAY,
              waits=True),
    Operation("show_replay", ShowReplay, "hindsight", "GET", "/replays/{replay_id}", "read"),
    Operation("list_paces", ListPaces, "policy", "GET", "/paces", "read"),
    Operation("recommend_models", RecommendModels, "assistant", "POST", "/recommend", "report",
              tool=tools.RECOMMEND),
    Operation("ask_assistant", AskAssistant, "assistant", "POST", "/assistant/ask", "report",
              tool=tools.ASK, waits=True),
    Operation("show_answer", ShowAnswer, "assistant", "GET", "/assistant/answers/{answer_id}",
              "report"),
    Operation("list_proposals", ListProposals, "assistant", "GET", "/assistant/proposals", "read",
              tool=tools.PROPOSALS),
    Operation("show_proposal", ShowProposal, "assistant", "GET",
              "/assistant/proposals/{proposal_id}", "read", tool=tools.PROPOSAL),
    Operation("apply_proposal", ApplyProposal, "assistant", "POST",
              "/assistant/proposals/{proposal_id}/apply", "admin", tool=tools.APPLY_PROPOSAL),
    Operation("dismiss_proposal", DismissProposal, "assistant", "POST",
              "/assistant/proposals/{proposal_id}/dismiss", "admin",
              tool=tools.DISMISS_PROPOSAL),
    Operation("list_entries", ListEntries, "journal", "GET", "/entries", "read"),
    Operation("archive_months", ArchiveMonths, "archive", "POST", "/archive", "admin"),
    Operation("show_archive", ShowArchive, "archive", "GET", "/archive", "read"),
    Operation("list_events", ListEvents, "journal", "GET", "/outbox", "read"),
    Operation("list_alerts", ListAlerts, "journal", "GET", "/alerts", "read"),
    Operation("show_alert", ShowAlert, "journal", "GET", "/alerts/{alert_id}", "read"),
    Operation("acknowledge_alert", AcknowledgeAlert, "alerts", "POST",
              "/alerts/{alert_id}/acknowledge", "report"),
    Operation("list_channels", ListChannels, "alerts", "GET", "/channels", "read"),
    Operation("test_channel", TestChannel, "alerts", "POST", "/channels/{name}/test", "admin"),
    Operation("import_usage", ImportUsage, "imports", "POST", "/imports", "admin", status=201),
    Operation("list_imports", ListImports, "journal", "GET", "/imports", "read"),
    Operation("undo_import", UndoImport, "imports", "POST", "/imports/{import_id}/undo", "admin"),
    Operation("quote", Quote, "prices", "POST", "/prices/quote", "read"),
    Operation("list_prices", ListPrices, "prices", "GET", "/prices", "read"),
    Operation("show_price", ShowPrice, "prices", "GET", "/prices/one", "read",
              tool=tools.PRICE),
    Operation("list_price_history", ListPriceHistory, "prices", "GET", "/prices/history", "read"),
    Operation("diff_prices", DiffPrices, "prices", "GET", "/prices/diff", "read"),
    Operation("list_price_sources", ListPriceSources, "prices", "GET", "/prices/sources", "read"),
    Operation("refresh_prices", RefreshPrices, "prices", "POST", "/prices/refresh", "admin"),
    Operation("approve_source", ApproveSource, "prices", "POST", "/prices/sources/approve",
              "admin"),
    Operation("list_quarantine", ListQuarantine, "prices", "GET", "/prices/quarantine", "read"),
    Operation("preview_price", PreviewPrice, "prices", "POST", "/prices/preview", "read"),
    Operation("approve_price", ApprovePrice, "prices", "POST", "/prices/approve", "admin"),
    Operation("reject_price", RejectPrice, "prices", "POST", "/prices/reject", "admin"),
    Operation("set_price", SetPrice, "prices", "POST", "/prices/set", "admin"),
    Operation("pin_price", PinPrice, "prices", "POST", "/prices/pin", "admin"),
    Operation("rollback_price", RollbackPrice, "prices", "POST", "/prices/rollback", "admin"),
    Operation("make_token", MakeToken, "tokens", "POST", "/tokens", "admin", status=201),
    Operation("list_tokens", ListTokens, "tokens", "GET", "/tokens", "admin"),
    Operation("revoke_token", RevokeToken, "tokens", "DELETE", "/tokens/{name}", "admin"),
)  # fmt: skip

BY_NAME = {operation.name: operation for operation in OPERATIONS}

NOT_DERIVED: tuple[tuple[str, str], ...] = (
    ("POST", "/api/v1/batch"),
    ("POST", "/api/v1/stream"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/health"),
    ("GET", "/ready"),
    ("GET", "/status"),
    ("GET", "/version"),
    ("GET", "/metrics"),
    ("POST", "/api/v1/assistant"),
    ("POST", "/api/v1/assistant/analyze"),
    ("POST", "/api/v1/assistant/optimize"),
    ("POST", "/api/v1/assistant/recommend-model"),
    ("POST", "/mcp"),
    ("GET", "/mcp"),
    ("DELETE", "/mcp"),
    ("GET", "/"),
    ("GET", "/page/{name}"),
    ("GET", "/api/v1/discovery"),
    ("GET", "/api/v1/docs"),
    ("POST", "/shutdown"),
    ("POST", "/api/shutdown"),
    ("POST", "/workflow"),
    ("GET", "/api/v1/events"),
    ("GET", "/ws"),
    ("GET", "/ws/budget/updates"),
    ("GET", "/ws/budget/alerts"),
    ("GET", "/ws/budget/allocations"),
    ("GET", "/ws/budget/prices"),
    ("GET", "/mcp/tools"),
    ("GET", "/api/mcp/v2/health"),
    ("GET", "/api/mcp/v2/capabilities"),
    ("GET", "/api/mcp/v2/tools"),
    ("POST", "/api/mcp/v2/tools/list"),
    ("POST", "/api/mcp/v2/tools/call"),
    ("POST", "/api/mcp/v2/process"),
    *((method, PREFIX + path) for method, path, _, _ in ROUTES),
)
"""Routes written by hand beside the table."""

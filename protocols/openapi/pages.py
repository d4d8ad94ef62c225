"""The routes written by hand beside the table: the house, streams, models, Tekton's words."""

import re

from protocols.openapi.parts import ALWAYS, WITH_BODY, WITH_HOLD, content, ref, refused
from protocols.operations import PREFIX
from protocols.schemas import Schema
from protocols.tekton.routes import ROUTES

_BRIDGE = "/api/mcp/v2"
_ASK = f"{PREFIX}/assistant"
_MODELS: dict[str, dict[str, tuple[str, str]]] = {
    _ASK: {"post": ("chat", "One message to the assistant, in the shape of Tekton's pages")},
    f"{_ASK}/analyze": {"post": ("analyze", "What was spent, in Tekton's shape")},
    f"{_ASK}/optimize": {"post": ("optimize", "What is wasted, in Tekton's shape")},
    f"{_ASK}/recommend-model": {"post": ("recommend_model", "Models for a workload, likewise")},
    "/mcp": {
        "post": ("mcp", "Model Context Protocol: one message, its answer or a stream"),
        "get": ("mcp_listen", "What is said unasked in a session of the protocol's older era"),
        "delete": ("mcp_end", "End a session of the protocol's older era"),
    },
    f"{_BRIDGE}/health": {"get": ("tekton_mcp_health", "Tekton's MCP: is it there?")},
    f"{_BRIDGE}/capabilities": {"get": ("tekton_mcp_capabilities", "Tekton's MCP: what it can")},
    f"{_BRIDGE}/tools": {"get": ("tekton_mcp_tools", "Tekton's MCP: its tools")},
    f"{_BRIDGE}/tools/list": {"post": ("tekton_mcp_tools_list", "The same list, asked by POST")},
    f"{_BRIDGE}/process": {"post": ("tekton_mcp_process", "Tekton's MCP: call a tool")},
    f"{_BRIDGE}/tools/call": {"post": ("tekton_mcp_call", "The same call under its other name")},
    "/mcp/tools": {"get": ("tekton_mcp_status", "The same list, where `tekton status` looks")},
}
"""What models and Tekton's components speak; what is inside is not HTTP's business."""

_STREAMS = {
    f"{PREFIX}/events": "Every event as a server-sent event; Last-Event-ID resumes",
    "/ws": "Every event in Tekton's envelope",
    "/ws/budget/updates": "What happens to budgets and policies, in Tekton's envelope",
    "/ws/budget/alerts": "Alerts as they are raised, acknowledged and ended",
    "/ws/budget/allocations": "What becomes of allocations",
    "/ws/budget/prices": "What becomes of prices and their sources",
}


def written_by_hand() -> Schema:
    """Describe the routes of `NOT_DERIVED`."""
    anything: Schema = {"type": "object"}
    status = described("status", "What runs here; to readers actors, journal, prices", anything)
    status["responses"] |= refused(frozenset({401, 403}))
    ready = described("ready", "Can operations be served now?", anything)
    ready["responses"] |= refused(frozenset({503}))
    health = described("health", "How the daemon is. Always 200", "Health")
    version = described("version", "What runs here", anything)
    openapi = described("openapi", "This document", anything)
    root = described("introduce", "Who this is", anything)
    docs = described("docs", "This document as a page for people", {"type": "string"})
    docs["responses"]["200"]["content"] = {"text/html": {"schema": {"type": "string"}}}
    discovery = described("discovery", "Every route, and what the component can", anything)
    workflow = described("workflow", "Has this component work to do? Tekton asks all", anything)
    workflow["requestBody"] = content(anything)
    workflow["responses"] |= refused(WITH_BODY | {400})
    for page in (health, ready, version, openapi, root, docs, discovery, workflow):
        page["security"] = []
    return {
        **_many(),
        f"{PREFIX}/openapi.json": {"get": openapi},
        "/health": {"get": health},
        "/ready": {"get": ready},
        "/status": {"get": status},
        "/version": {"get": version},
        "/metrics": {"get": _metrics()},
        "/": {"get": root},
        "/page/{name}": {"get": _page_file()},
        f"{PREFIX}/docs": {"get": docs},
        f"{PREFIX}/discovery": {"get": discovery},
        "/shutdown": {"post": _shutdown("shutdown")},
        "/api/shutdown": {"post": _shutdown("shutdown_api")},
        "/workflow": {"post": workflow},
        **{path: {"get": _stream(path, words)} for path, words in _STREAMS.items()},
    }


def _metrics() -> Schema:
    page = described("metrics", "What Prometheus reads", {})
    page["responses"]["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    page["responses"] |= refused(frozenset({401, 403}))
    return page | {"x-role": "read"}


def _many() -> Schema:
    """Many operations in one request, and without end."""
    batch = described("batch", "Many operations in one request, each with its outcome", "Outcomes")
    batch["requestBody"] = {**content(ref("Batch")), "required": True}
    batch["responses"] |= refused(WITH_BODY | {400, 401, 403, 422})
    stream = described(
        "stream", "Operations without end; each outcome as it comes", {"type": "object"}
    )
    lines: Schema = {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
    stream["requestBody"] = {**lines, "required": True}
    stream["responses"]["200"] |= lines
    stream["responses"] |= refused(frozenset({400, 401, 415}))
    return {f"{PREFIX}/batch": {"post": batch}, f"{PREFIX}/stream": {"post": stream}}


def models() -> Schema:
    paths: Schema = {}
    for path, methods in _MODELS.items():
        paths[path] = {method: described(*words, {}) for method, words in methods.items()}
        for page in paths[path].values():
            page["responses"] |= refused(ALWAYS | WITH_BODY)
    return paths


def add_tektons(paths: Schema) -> None:
    """Tekton's vocabulary; its shapes are Tekton's and described in docs/tekton.md."""
    for method, path, status, summary in ROUTES:
        name = re.sub(r"\W+", "_", f"tekton_{method.lower()}{path}").strip("_")
        page = described(name, summary, {})
        page["parameters"] = [
            {"name": part, "in": "path", "required": True, "schema": {"type": "string"}}
            for part in re.findall(r"{(\w+)}", path)
        ]
        if method != "GET":
            page["requestBody"] = {**content({"type": "object"}), "required": True}
        done = {str(status): page["responses"]["200"]}
        page["responses"] = done | refused(ALWAYS | WITH_BODY | WITH_HOLD)
        paths.setdefault(PREFIX + path, {})[method.lower()] = page


def _page_file() -> Schema:
    name = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
    file = described("page_file", "A file of the live page", {"type": "string"})
    file["responses"] |= refused(frozenset({404}))
    return {**file, "security": [], "parameters": [name]}


def _shutdown(name: str) -> Schema:
    page = described(name, "Stop in order; what is under way is finished first", {"type": "object"})
    done = {"202": page["responses"]["200"]}
    return page | {"responses": done | refused(frozenset({401, 403}))}


def _stream(path: str, words: str) -> Schema:
    """Describe a stream of events: server-sent ones under our prefix, else a websocket."""
    name = path.removeprefix(PREFIX).strip("/").replace("/", "_")
    sse = path.startswith(PREFIX)
    done = {"200": {"description": "events", "content": {"text/event-stream": {}}}}
    upgraded = {"101": {"description": "a websocket"}}
    text, yes_no = {"type": "string"}, {"type": "boolean"}
    query = {"after": text, "component": text, "type": text, "alerts": yes_no}
    return {
        "operationId": f"stream_{name}", "summary": words, "tags": ["events"], "x-role": "read",
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in query.items()
        ],
        "responses": (done if sse else upgraded) | refused(frozenset({401, 403, 422})),
    }  # fmt: skip


def described(name: str, summary: str, reply: str | Schema) -> Schema:
    schema = ref(reply) if isinstance(reply, str) else reply
    done = {"200": {"description": "done", **content(schema)}}
    return {"operationId": name, "summary": summary, "tags": ["daemon"], "responses": done}

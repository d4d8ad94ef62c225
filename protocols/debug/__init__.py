"""Tekton's debug instrumentation: `debug_log` and `@log_function`, free when off.

Off unless `TEKTON_DEBUG` is true, 1 or yes; then `TEKTON_LOG_LEVEL`, `TEKTON_LOG_FILE` and
`TEKTON_LOG_FORMAT` say what is written and where. Names, levels and signatures are those of
Tekton's `shared.debug.debug_utils`. Where that can be imported, its handlers write; otherwise our
own do. Either way lines go to stderr, for stdout belongs to commands and to MCP, and no secret is
in them.

Every message an actor hears passes one interceptor (`actors/runtime/overhear.py`).
"""

from protocols.debug.function import log_function
from protocols.debug.log import DebugLog, LogLevel, debug_log

__all__ = ["DebugLog", "LogLevel", "debug_log", "log_function"]

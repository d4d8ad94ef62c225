"""Who writes debug lines: the handlers of Tekton's own module, or ours of the same shape."""

import json
import logging
import sys
from collections.abc import Mapping
from importlib import import_module

from protocols.period import rfc3339

TEKTONS = "shared.debug.debug_utils"
TRACE = 5


def set_up(environ: Mapping[str, str]) -> logging.Logger:
    """The logger `tekton`, ready to take records with `component`, `caller` and `data`."""
    logger = logging.getLogger("tekton")
    if not _tektons(logger):
        logging.addLevelName(TRACE, "TRACE")
        logger.setLevel(TRACE)
        logger.handlers = _handlers(environ)
    logger.propagate = False  # the daemon's own log would say everything twice
    return logger


def _tektons(logger: logging.Logger) -> bool:
    """Let Tekton's module set the logger up, if there is one; its lines go to stderr, too."""
    try:
        import_module(TEKTONS).debug_log.set_enabled(True)
    except ImportError:
        return False
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)
    return True


def _handlers(environ: Mapping[str, str]) -> list[logging.Handler]:
    handlers: list[logging.Handler] = [Stderr()]
    if path := environ.get("TEKTON_LOG_FILE"):
        try:
            handlers.append(logging.FileHandler(path, encoding="utf-8"))
        except OSError as error:
            sys.stderr.write(f"TEKTON_LOG_FILE {path} cannot be written: {error.strerror}\n")
    form = Json() if environ.get("TEKTON_LOG_FORMAT", "").lower() == "json" else Text()
    for handler in handlers:
        handler.setFormatter(form)
    return handlers


class Stderr(logging.Handler):
    """Whatever is stderr at the moment of the line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001  # a debug line never stops the service
            self.handleError(record)


class Text(logging.Formatter):
    """`2026-11-24T12:00:01.000Z [DEBUG] [budget_policy] hears Admit {"hold": "rsv_…"}`."""

    def format(self, record: logging.LogRecord) -> str:
        data = getattr(record, "data", None)
        at = rfc3339(int(record.created * 1000))
        told = "" if data is None else f" {json.dumps(data, ensure_ascii=False)}"
        component = getattr(record, "component", record.name)
        return f"{at} [{record.levelname}] [{component}] {record.getMessage()}{told}"


class Json(logging.Formatter):
    """One object a line, with Tekton's keys."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "timestamp": rfc3339(int(record.created * 1000)),
            "level": record.levelname,
            "component": getattr(record, "component", record.name),
            "message": record.getMessage(),
        }
        optional = {name: getattr(record, name, None) for name in ("data", "caller")}
        return json.dumps(told | {name: part for name, part in optional.items() if part})

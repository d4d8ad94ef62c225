"""`debug_log`: what a component says about its work, when somebody wants to hear it."""

import logging
import os
import sys
import traceback
from collections.abc import Mapping
from enum import IntEnum
from types import TracebackType
from typing import Any

from protocols.debug.describe import describe
from protocols.debug.writing import set_up
from protocols.redact import escape, redact

ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


class LogLevel(IntEnum):
    """Tekton's levels."""

    TRACE = 5
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50
    OFF = 60


def level_of(name: str, default: LogLevel) -> LogLevel:
    return LogLevel.__members__.get(name.upper(), default)


class DebugLog:
    """Each call says whether something was written. When off, it is one look at `enabled`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.component_levels: dict[str, LogLevel] = {}
        self.enabled = False
        self._logger: logging.Logger | None = None
        self.configure(environ)

    def configure(self, environ: Mapping[str, str]) -> None:
        """Read Tekton's variables; what was set by hand for a component stays."""
        self.default_level = level_of(environ.get("TEKTON_LOG_LEVEL", ""), LogLevel.INFO)
        self._environ = environ
        self.set_enabled(environ.get("TEKTON_DEBUG", "").lower() in ("true", "1", "yes"))

    def trace(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.TRACE, component, message, data)

    def debug(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.DEBUG, component, message, data)

    def info(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.INFO, component, message, data)

    def warn(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.WARN, component, message, data)

    def error(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.ERROR, component, message, data)

    def fatal(self, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(LogLevel.FATAL, component, message, data)

    def exception(self, component: str, message: str, exc_info: ExcInfo | None = None) -> bool:
        """An error with its traceback; by default the one that is being handled."""
        if not self.enabled:
            return False
        kind, error, trace = exc_info or sys.exc_info()
        data = {
            "exception_type": "Unknown" if kind is None else kind.__name__,
            "exception_message": str(error),
            "traceback": [line.rstrip() for line in traceback.format_exception(kind, error, trace)],
        }
        return self._say(LogLevel.ERROR, component, message, data)

    def log(self, level: LogLevel, component: str, message: str, data: object = None) -> bool:
        return self.enabled and self._say(level, component, message, data)

    def should_log(self, level: LogLevel, component: str) -> bool:
        return self.enabled and level >= self.component_levels.get(component, self.default_level)

    def set_component_level(self, component: str, level: str | LogLevel) -> bool:
        """False for a level nobody knows."""
        if isinstance(level, str):
            if level.upper() not in LogLevel.__members__:
                return False
            level = LogLevel[level.upper()]
        self.component_levels[component] = level
        return True

    def set_enabled(self, enabled: bool) -> bool:  # noqa: FBT001  # Tekton's signature
        if enabled and self._logger is None:
            self._logger = set_up(self._environ)
        self.enabled = enabled
        return True

    def _say(self, level: LogLevel, component: str, message: str, data: object) -> bool:
        if not self.should_log(level, component) or self._logger is None:
            return False
        caller = sys._getframe(2)  # noqa: SLF001  # past this and the method of the level
        extra: dict[str, Any] = {
            "component": component,
            "caller": {
                "file": caller.f_code.co_filename,
                "line": caller.f_lineno,
                "function": caller.f_code.co_name,
            },
        }
        if data:
            extra["data"] = describe(data if isinstance(data, Mapping) else {"value": data})
        self._logger.log(level, "%s", escape(redact(message)), extra=extra)
        return True


debug_log = DebugLog(os.environ)

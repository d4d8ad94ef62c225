"""`budget.toml`, the environment and the command line become `Settings`, or a list of problems."""

from daemon.config.load import Row, load, show
from daemon.config.problems import ConfigError, Problem
from daemon.config.settings import Settings

__all__ = ["ConfigError", "Problem", "Row", "Settings", "load", "show"]

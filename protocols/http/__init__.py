"""The HTTP door, derived from the table of operations.

A request meets the guard (Host, Origin), its route, the token, the role, and only then is its
body read, parsed, validated and held against the token's scope. `serve` puts the guard before
every route of the application, those written by hand included.
"""

from protocols.http.application import application
from protocols.http.crowd import Crowd
from protocols.http.house import Condition, HealthReport
from protocols.http.metrics import add_metrics
from protocols.http.serve import Listening, serve
from protocols.http.settings import DoorSettings
from protocols.http.streams import Streams
from protocols.http.verb import Authenticate

__all__ = [
    "Authenticate",
    "Condition",
    "Crowd",
    "DoorSettings",
    "HealthReport",
    "Listening",
    "Streams",
    "add_metrics",
    "application",
    "serve",
]

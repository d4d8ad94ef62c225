"""The aiohttp application: a route for each operation, and the few written by hand."""

from aiohttp import web

from protocols.http.assistant import add_shapes
from protocols.http.batch import batch
from protocols.http.cors import Cors
from protocols.http.crowd import Crowd
from protocols.http.express import Express
from protocols.http.guard import Guard
from protocols.http.house import HealthReport, add_house
from protocols.http.item import Performer
from protocols.http.routes import from_body, from_query
from protocols.http.settings import DoorSettings
from protocols.http.stream import STOP, stop_flows, stream
from protocols.http.verb import Authenticate, Verb
from protocols.message import Ask, Put
from protocols.operations import OPERATIONS, PREFIX

GUARD = web.AppKey("GUARD", Guard)
EXPRESS = web.AppKey("EXPRESS", Express)


def application(
    ask: Ask, put: Put, authenticate: Authenticate, health: HealthReport, crowd: Crowd,
    settings: DoorSettings,
) -> web.Application:  # fmt: skip
    """Make all routes. More may be added until it is served; `serve` guards those too."""
    app = web.Application(client_max_size=settings.body_bytes_max)
    app[GUARD] = Guard(settings)
    if settings.origins:
        app.on_response_prepare.append(Cors(settings.origins).mark)
    verbs = {operation.name: Verb(operation, ask) for operation in OPERATIONS}
    app[EXPRESS] = Express(
        verbs.values(), put, authenticate, app[GUARD], crowd, settings.body_bytes_max
    )
    for verb in verbs.values():
        operation = verb.operation
        handler = (
            from_body(verb, authenticate, settings)
            if operation.method == "POST"
            else from_query(verb, authenticate)
        )
        app.router.add_route(operation.method, PREFIX + operation.path, handler)
    performer = Performer(verbs, put)
    app.router.add_post(f"{PREFIX}/batch", batch(performer, authenticate, settings))
    app.router.add_post(f"{PREFIX}/stream", stream(performer, authenticate, settings))
    app[STOP] = set()
    app.on_shutdown.append(stop_flows)
    add_shapes(app.router, ask, authenticate, settings)
    add_house(app.router, health, authenticate)
    return app

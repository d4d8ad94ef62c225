"""`[hermes]`: where Tekton's registry of components is, and who we are there."""

from typing import Annotated

from pydantic import Field

from daemon.config.section import Seconds, Section

Url = Annotated[str, Field(pattern=r"^(|https?://[^\s/?#@]{1,255}(/[^\s?#]{0,200})?)$")]


class Hermes(Section):
    """Where the daemon registers itself, if Tekton is there. Budgets never wait for it."""

    url: Url = Field(
        default="", description='Hermes, such as "http://localhost:8001"; empty: not registered'
    )
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")] = Field(
        default="budget",
        description="our name and id there; `tekton status` looks for `penia`",
    )
    heartbeat_s: Seconds = Field(
        default=30.0, description="pause between heartbeats; Hermes calls 60 s of silence unhealthy"
    )
    check_s: Seconds = Field(
        default=60.0, description="how often we look whether we are still listed"
    )
    renew_s: Seconds = Field(
        default=3300.0, description="how long a token is used; Hermes lets it live an hour"
    )
    timeout_s: Seconds = Field(default=5.0, description="how long Hermes may take to answer")

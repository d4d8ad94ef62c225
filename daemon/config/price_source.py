"""`[[price_source]]`: who is asked what models cost, and how."""

from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from daemon.config.section import Place, Seconds, Section

Kind = Literal[
    "litellm", "genai-prices", "models.dev", "portkey", "openrouter", "llm-prices", "own"
]
_GITHUB = "https://raw.githubusercontent.com"
URLS: dict[str, str] = {
    "litellm": f"{_GITHUB}/BerriAI/litellm/main/model_prices_and_context_window.json",
    "genai-prices": f"{_GITHUB}/pydantic/genai-prices/refs/heads/main/prices/new_data/v2/data.json",
    "models.dev": "https://models.dev/api.json",
    "portkey": "https://configs.portkey.ai/pricing",
    "openrouter": "https://openrouter.ai/api/v1/models",
    "llm-prices": "https://www.llm-prices.com/historical-v1.json",
}
"""Portkey has a file for each provider below its address."""
ON = ("litellm", "genai-prices", "models.dev")
"""Asked unless the file says otherwise."""
V1 = "genai-prices/refs/heads/main/prices/data.json"


class PriceSourceTable(Section):
    """Somebody who says what models cost. One with a built-in name changes that one."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] = Field(
        description="what it is called; also its directory below <data_dir>/prices"
    )
    kind: Kind | None = Field(default=None, description="the file's format; default: the name")
    family: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")] | None = Field(
        default=None,
        description="sources of one family copy each other and have one vote; default: the kind",
    )
    enabled: bool = Field(default=True, description="whether it is asked")
    url: Annotated[str, Field(pattern=r"^https?://[^\s]{1,500}$")] | None = Field(
        default=None, description="where it is; default: the kind's own address"
    )
    path: Place = Field(default=None, description="a file on this machine instead of an address")
    allow_http: bool = Field(default=False, description="take it without TLS: a mirror of yours")
    allow_private: bool = Field(default=False, description="connect to private addresses too")
    proxy_from_environment: bool = Field(default=False, description="use HTTPS_PROXY and the like")
    ca_file: Place = Field(default=None, description="certificates to trust instead of the usual")
    timeout_s: Seconds = Field(default=10.0, description="how long a fetch may take in all")
    bytes_max: int = Field(
        default=20_971_520, ge=1024, le=268_435_456, description="the largest file, unpacked"
    )

    @model_validator(mode="after")
    def _knows_where(self) -> "PriceSourceTable":
        kind = self.kind or self.name
        if kind not in (*URLS, "own"):
            raise PydanticCustomError(
                "kind",
                "has no kind",
                {"remedy": f'write kind = "…" with one of {", ".join((*URLS, "own"))}'},
            )
        if kind == "own" and self.url is None and self.path is None:
            raise PydanticCustomError(
                "no_place", "has neither path nor url", {"remedy": 'write path = "prices.toml"'}
            )
        if self.url is not None and self.url.endswith(V1):
            raise PydanticCustomError(
                "frozen",
                "is the frozen v1 file of genai-prices",
                {"remedy": f'write url = "{URLS["genai-prices"]}"'},
            )
        return self


def sources(tables: tuple[PriceSourceTable, ...]) -> list[PriceSourceTable]:
    """The built-in sources with the file's changes, then the file's own; only those enabled."""
    by_name = {name: PriceSourceTable(name=name) for name in ON}
    by_name |= {table.name: table for table in tables}
    return [table for table in by_name.values() if table.enabled]


__all__ = ["Kind", "PriceSourceTable", "sources"]

"""`[daemon]`: where it listens, keeps its data and writes its log."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from daemon.config.section import Place, Seconds, Section

SOCKET_BYTES_MAX = 107
"""What the kernel takes for the path of a unix socket."""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _with_its_pair(key: Path | None, told: ValidationInfo) -> Path | None:
    if (key is None) != (told.data.get("tls_cert") is None):
        raise PydanticCustomError(
            "tls_pair",
            "and tls_cert belong together, and one is missing",
            {"remedy": "name both files, or neither"},
        )
    return key


def _no_token_in_the_clear(host: str, told: ValidationInfo) -> str:
    """Tokens never leave this machine without TLS."""
    guarded = told.data.get("tls_cert") or told.data.get("behind_proxy")
    if not guarded and not _is_loopback(host):
        raise PydanticCustomError(
            "loopback",
            "is not a loopback address, and without TLS tokens could be read on the way",
            {
                "remedy": 'set tls_cert and tls_key, or host = "127.0.0.1"; if a proxy that '
                "terminates TLS is the only way here, behind_proxy = true"
            },
        )
    return host


def _fits_a_socket(path: Path | None) -> Path | None:
    if path is not None and len(str(path).encode()) > SOCKET_BYTES_MAX:
        raise PydanticCustomError(
            "socket_path",
            "is too long for a unix socket",
            {"remedy": f"choose a path of at most {SOCKET_BYTES_MAX} bytes"},
        )
    return path


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


HostName = Annotated[str, Field(pattern=r"^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$")]
Origin = Annotated[str, Field(pattern=r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$")]


class Daemon(Section):
    """Where the daemon listens, keeps its data and writes its log."""

    tls_cert: Place = Field(
        default=None, description="path of the certificate chain (PEM); with tls_key: https"
    )
    tls_key: Annotated[Place, AfterValidator(_with_its_pair)] = Field(
        default=None,
        validate_default=True,
        description="path of the certificate's private key (PEM)",
    )
    behind_proxy: bool = Field(
        default=False, description="a proxy before us terminates TLS, so host may be any address"
    )
    host: Annotated[str, AfterValidator(_no_token_in_the_clear)] = Field(
        default="127.0.0.1",
        description="the address to listen on; another than loopback needs TLS or a proxy",
    )
    port: int = Field(default=8013, ge=0, le=65_535, description="TCP port; 0 takes a free one")
    socket: Annotated[Place, AfterValidator(_fits_a_socket)] = Field(
        default=None, description="path of a unix socket to listen on as well; empty: none"
    )
    socket_group: Annotated[str, Field(max_length=64)] = Field(
        default="", description="the group that may open the socket, too; empty: its owner only"
    )
    data_dir: Place = Field(
        default=None,
        description="journal and tokens; empty: ~/.local/share/tekton-budget, or where "
        "$TEKTON_DATA_DIR, $TEKTON_ROOT or $XDG_DATA_HOME has it",
    )
    hosts: tuple[HostName, ...] = Field(
        default=(), strict=False, description="Host headers to accept besides those of loopback"
    )
    origins: tuple[Origin, ...] = Field(
        default=(), strict=False, description="browser origins that may call; none by default"
    )
    page_role: Literal["none", "read", "report"] = Field(
        default="none",
        description="what a page of these origins may without a token, such as Hephaestus'",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = (
        Field(default="info", description="the least severe message that is logged")
    )
    log_format: Literal["auto", "human", "json"] = Field(
        default="auto", description="auto: human on a terminal, JSON lines otherwise"
    )
    drain_s: Seconds = Field(
        default=10.0, description="how long a stop waits for what is under way"
    )

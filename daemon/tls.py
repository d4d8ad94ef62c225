"""The certificate the door shows, and trust in it from this very machine."""

import grp
import ssl
import stat
from pathlib import Path

from daemon.config.problems import ConfigError, Problem
from daemon.tokens import NotPrivate


def context(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS 1.2 or later with this certificate; None without one. Raises ConfigError, NotPrivate."""
    if cert is None or key is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if key.stat().st_mode & stat.S_IRWXO:
            remedy = f"chmod o-rwx {key}"
            raise NotPrivate([Problem(str(key), "is open to every user", remedy)])
        made.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        problem = f"is not a certificate with the key {key}: {error.reason}"
        raise ConfigError([Problem(str(cert), problem, "both in PEM, the key unlocked")]) from None
    except OSError as error:
        missing = error.filename or cert
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError(
            [Problem(str(missing), problem, "see [daemon] tls_cert and tls_key")]
        ) from None
    return made


def _no_password() -> str:
    """Nobody is there to type one: a locked key is an error, never a prompt."""
    return ""


def group(name: str) -> int | None:
    """The number of a group; None for no name. Raises ConfigError."""
    if not name:
        return None
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        remedy = "create it, or leave it out"
        raise ConfigError(
            [Problem("daemon.socket_group", f"there is no group {name}", remedy)]
        ) from None

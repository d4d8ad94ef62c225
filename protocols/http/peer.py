"""Where a request came from: told in the journal beside whatever a person decided."""

import socket
import struct

from aiohttp import web

_CREDENTIALS = struct.Struct("3i")


def peer(request: web.BaseRequest) -> str:
    """`tcp 192.0.2.7`, or over the unix socket what the kernel says: `unix uid 1000 pid 4711`."""
    if request.remote:
        return f"tcp {request.remote}"
    transport = request.transport
    connection = None if transport is None else transport.get_extra_info("socket")
    if connection is None or not hasattr(socket, "SO_PEERCRED"):
        return "unix"
    told = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(told)
    return f"unix uid {uid} pid {pid}"

"""Whether a peer that closed a kept-alive connection can have accepted the request that we wrote meanwhile.

A POST on a connection that the vendor is just closing is the one everyday failure whose outcome looks unknown, and it
must not be repeated without "some means to detect that the original request was never applied" (RFC 9110 9.2.2). TCP
has one. A FIN carries the number of the last byte that its sender had received: where it comes before any answer, and
no byte of the request has been acknowledged, the vendor had closed before the request reached it, and what reaches a
closed socket reaches nobody. A reset proves nothing, since what it acknowledges is not looked at.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct

# Offset and format of tcpi_bytes_acked in struct tcp_info, the same since Linux 4.1.
_ACKED_OFFSET = 120
_INFO_BYTES = 128
_TCP_INFO = getattr(socket, "TCP_INFO", None)


def acknowledged_bytes(transport: asyncio.Transport) -> int | None:
    """How many bytes of ours the peer's kernel has confirmed on this connection; None where nobody can say."""
    connection = transport.get_extra_info("socket")
    if _TCP_INFO is None or connection is None:
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _INFO_BYTES)
    except (OSError, TypeError):
        return None
    if len(info) < _INFO_BYTES:
        return None
    acked: int = struct.unpack_from("=Q", info, _ACKED_OFFSET)[0]
    return acked


def has_news(transport: asyncio.Transport) -> bool:
    """Whether bytes, an end or a reset wait in the kernel, unread by the event loop."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))

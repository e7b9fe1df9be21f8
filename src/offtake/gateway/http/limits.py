"""What one worker grants its clients: sizes, numbers and patience."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds (to the nearest tick of the ticker, never early)."""

    head_bytes: int = 64 * KIB  # request line and headers, each header counted with 32 bytes more, as HTTP/2 does; 431
    body_bytes: int = 32 * MIB  # one body; 413
    larger: Mapping[str, int] = field(default_factory=dict)  # paths where it may have more
    bodies_bytes: int = 512 * MIB  # all bodies of requests not yet answered; 503
    connections: int = 10_000  # 503
    pipelined: int = 16  # requests read ahead on one connection; the connection closes after those
    write_buffer_bytes: int = 64 * KIB  # `drain` waits above it

    idle_seconds: float = 75.0  # a kept-alive connection without a request
    head_seconds: float = 10.0  # first to last byte of a head; 408
    body_seconds: float = 30.0  # first to last byte of a body, and more for what has arrived: 408
    body_bytes_per_second: int = 8 * KIB
    write_seconds: float = 60.0  # a client that takes no byte of its answer is cut
    linger_seconds: float = 2.0  # after a refusal the rest of the request is read and dropped, so that it arrives


class Held:
    """Bytes of bodies that a worker holds for requests not yet answered."""

    __slots__ = ("size_bytes",)

    def __init__(self) -> None:
        self.size_bytes = 0


class RefusedError(Exception):
    """A request that gets no handler: the status to answer with, and why. The connection closes after it."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status}: {reason}")

"""HTTP/1.1 for the data plane: a server of clients and pools of connections to vendors, on asyncio and llhttp."""

from offtake.gateway.http.answer import Answer, BrokenError, NotSentError, TimedOutError, UpstreamError
from offtake.gateway.http.limits import Limits
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.server import Server, listening_socket
from offtake.gateway.http.ticker import Ticker
from offtake.gateway.http.upstream import Pool, Timeouts

__all__ = [
    "Answer",
    "BrokenError",
    "Limits",
    "NotSentError",
    "Pool",
    "Request",
    "Responder",
    "Server",
    "Ticker",
    "TimedOutError",
    "Timeouts",
    "UpstreamError",
    "listening_socket",
]

"""Response headers of ours, all `offtake-…`: what served a call, under which clause, and what it cost."""

from __future__ import annotations

REQUEST_ID = b"offtake-request-id"
CONTRACT = b"offtake-contract"
VENDOR = b"offtake-vendor"
MODEL = b"offtake-model"
CLAUSE = b"offtake-clause"
COST = b"offtake-cost"
COMMITMENT = b"offtake-commitment"
EDITS = b"offtake-edits"
DROPPED = b"offtake-dropped"
OBSERVED = b"offtake-observed"
ROUTE = b"offtake-route"
NOTICE = b"offtake-notice"

ASK_TRAILING = b"offtake-usage"
"""A client's header: `trailing` asks for the cost of a stream as a comment before its end."""


def dollars(pico: int) -> bytes:
    """Picodollars as exact dollars: `0.000123450000 USD`."""
    return b"%d.%012d USD" % divmod(pico, 10**12)

"""The contract that nobody signed: list prices for everything, as a contract in memory.

Who asks for a price without a contract gets the answer of the one pricing engine, under terms that say nothing but
`list`. Failed requests are billed, because no paper says otherwise. Nothing is rounded: a count of tokens times a price
on the 1e-12 grid has at most twelve places, and so many are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from hashlib import sha256

from offtake.contract.contract import Contract
from offtake.contract.parse import parse_data
from offtake.usage.record import CHANNELS

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Usage beyond these is a mistake in its dates, and counts as outside of the term."""
NAME = "list"
FILE = "list prices"


def list_contract(first: date, last: date, access: Iterable[str] = ()) -> Contract:
    """List prices over the calendar years from `first` to `last`, in UTC and USD, for `api` and these access forms.

    The vendor is "list", which sells every maker's models at their maker's price.
    """
    data: dict[str, object] = {
        "contract": NAME,
        "buyer": "anyone",
        "vendor": NAME,
        "term": {
            "from": date(min(max(first.year, FIRST_YEAR), LAST_YEAR), 1, 1),
            "until": date(min(max(last.year, FIRST_YEAR), LAST_YEAR) + 1, 1, 1),
            "time_zone": "UTC",
            "currency": "USD",
        },
        "billing": {
            "period": "month",
            "anchor": 1,
            "rounding": {"where": "invoice", "places": 12, "mode": "half_even"},
        },
        "scope": {"models": ["*"], "channels": list(CHANNELS), "access": sorted({"api", *access})},
        "prices": {"basis": "list", "region_uplift": "catalog", "cache": "catalog"},
        "failed_requests": "billed",
    }
    return parse_data(data, FILE, {}, sha256(repr(data).encode()).hexdigest())

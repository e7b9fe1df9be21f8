"""Lanes: which instants share a price, where daily prices come and go."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from offtake.catalog.list_price import BandPrice, PriceCell
from offtake.contract.parse import parse
from offtake.rating.compiled import CompiledTerms
from offtake.rating.rate import rate_records
from offtake.rating.request import priced_alone
from offtake.usage.record import UsageRecord
from tests.rating_oracle.price_list import PriceList

FROZEN = """
contract: frozen
buyer: Example Corp
vendor: maker
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime], access: [api]}
prices: {basis: list, freeze: {at: 2026-01-01}, new_meters: list}
failed_requests: billed
"""


class Hourly(PriceList):
    """Two dollars by day and one by night, and from June on three at any hour."""

    def cells(self, model: str, vendor: str, channel: str, access: str, region: str) -> tuple[PriceCell, ...]:
        june = datetime(2026, 6, 1, tzinfo=UTC)
        hours = {(time(8), time(20)): "2", (time(20), time(8)): "1"}
        return (
            *(PriceCell(None, june, daily, _input(price), "made") for daily, price in hours.items()),
            PriceCell(june, None, None, _input("3"), "made"),
        )


def _input(dollars: str) -> dict[str, BandPrice]:
    return {"input_tokens": BandPrice(Decimal(dollars))}


def test_a_frozen_price_stays_that_of_its_hour_after_the_vendor_gave_up_daily_prices() -> None:
    contract = parse(FROZEN, "contract.yaml")
    book = Hourly({("one", "realtime"): ()})
    noon, night = (
        UsageRecord(
            id=f"{hour}", used_at=datetime(2026, 7, 10, hour, tzinfo=UTC), model="one", quantities={"input_tokens": 1}
        )
        for hour in (12, 22)
    )
    terms = CompiledTerms(contract, book)

    assert [2 * 10**12, 10**12] == [priced_alone(terms, record).contracted for record in (noon, night)]
    assert Decimal(3) == rate_records([noon, night], contract, book).total

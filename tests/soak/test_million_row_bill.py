"""A bill of a million rows with every kind of mistake in it: all are found to the last digit, and nothing else."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal, localcontext
from pathlib import Path
from time import process_time
from typing import TextIO

import pytest

from offtake.operations.compare_bill import compare_bill
from offtake.operations.import_usage import import_usage
from offtake.rating.compiled import CompiledTerms
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, quantize
from tests.unit.assurance.made_bills import FEBRUARY, METERS, MODELS, TEXT, catalog, contract

REQUESTS = 210_000
PLACES = 6
OPUS, SONNET, HAIKU = MODELS
MAPPING = {
    "starts_at": "at", "amount": "usd", "currency": "=USD", "model": "sku", "meter": "unit", "quantity": "count",
    "price_mtok": "rate", "kind": "what", "description": "text", "channel": "lane", "tag:request": "request",
}  # fmt: skip
COLUMNS = ("at", "usd", "sku", "unit", "count", "rate", "lane", "what", "text", "request")
Found = dict[tuple[str, str], Decimal]


@dataclass(slots=True)
class Vendor:
    """Writes the bill, and remembers what each of its mistakes costs by (cause, clause)."""

    terms: CompiledTerms
    mistakes: Found = field(default_factory=lambda: defaultdict(Decimal))
    usage: Decimal = Decimal(0)
    rounding: Decimal = Decimal(0)
    rows: int = 0

    def bill(self, record: UsageRecord) -> Iterator[list[object]]:
        """The rows of one request, wrong on some days."""
        lane = self.terms.lane(record)
        band = sum((record.context_tokens or 0) > edge for edge in lane.thresholds)
        for meter, quantity in record.quantities.items():
            price = lane.card(record.used_at, band)[meter].contracted
            if record.outcome == "ok":
                self.usage += Decimal(price * quantity).scaleb(-12)
            elif (record.used_at.day, record.model, meter) != (6, OPUS, "output_tokens"):
                continue
            yield from self._rows(record, meter, quantity, price, band)

    def _rows(self, record: UsageRecord, meter: str, quantity: int, right: int, band: int) -> Iterator[list[object]]:
        lane = self.terms.lane(record)
        day, model, channel = record.used_at.day, record.model, record.channel
        price, count, unit, cause = right, quantity, meter, None
        match day, model, meter, channel:
            case 1, _, "output_tokens", "realtime" if model == OPUS:
                price, cause = lane.card(record.used_at, band)[meter].public, ("list price", "prices.discounts[1]")
            case 16, _, "output_tokens", _ if model == OPUS:
                price = lane.card(FEBRUARY.start, band)[meter].contracted
                cause = ("price before a change", "prices.steps[0]")
            case 3, _, "output_tokens", "batch" if model == SONNET:
                price, cause = 2 * right, ("channel", "prices.batch")
            case 4, _, "cache_write_5m_tokens", _ if model == HAIKU:
                price, cause = right * 8 // 5, ("cache kind", "prices.cache.write_5m")
            case 5, _, "input_tokens", "realtime" if model == SONNET and band == 0:
                price, cause = lane.card(record.used_at, 1)[meter].contracted, ("context tier", "prices.basis")
            case 6, _, _, _ if record.outcome != "ok":
                right, cause = 0, ("failed request", "failed_requests.timeout")
            case 10, _, "output_tokens", "realtime" if model == HAIKU and record.id.endswith("77"):
                count, cause = quantity + 1_000, ("quantity", "prices.discounts[0]")
            case 13, _, "cache_read_tokens", _ if model == SONNET:
                price, unit = lane.card(record.used_at, band)["input_tokens"].contracted, "input_tokens"
                cause = ("cache kind", "prices.cache.read")
        exact = Decimal(price * count).scaleb(-12)
        amount = quantize(exact, PLACES)
        self.rounding += amount - exact
        if cause:
            self.mistakes[cause] += exact - Decimal(right * quantity).scaleb(-12)
        if (day, model, meter) == (12, HAIKU, "input_tokens"):
            up = quantize(exact, PLACES, ROUND_UP)
            self.mistakes["rounding", "billing.rounding"] += up - amount
            amount = up
        row = self._row(record.used_at, amount, model, unit, count, price, channel, record.id)
        yield row
        if (day, model, meter, channel) == (7, HAIKU, "output_tokens", "batch") and record.id.endswith("5"):
            self.mistakes["duplicate", "prices.discounts[0]"] += exact
            self.rounding += amount - exact
            self.rows += 1
            yield row
        if day == 1 and record.id.endswith("000"):  # usage of January on the bill of February
            self.mistakes["timing", "billing.period"] += amount
            yield self._row(record.used_at - timedelta(days=5), amount, model, unit, count, price, channel, "january")

    def _row(
        self, at: datetime, amount: Decimal, model: str, unit: str, count: int, price: int, channel: str, request: str
    ) -> list[object]:
        self.rows += 1
        rate = Decimal(price).scaleb(-6).normalize()
        return [at.isoformat(), f"{amount:f}", model, unit, count, f"{rate:f}", channel, "usage", "", request]

    def fees(self) -> Iterator[list[object]]:
        """The platform fee, which is right; a surcharge, which nothing gives; and no credit of the volume tier."""
        share = (self.usage - 20) * Decimal("0.04")
        self.mistakes["volume tier", "prices.tiers.steps[1]"] += share
        self.mistakes["unknown charge", "fees"] += 250
        for amount, text in (("1000.00", "Platform fee"), ("250.00", "Express surcharge")):
            self.rows += 1
            yield [FEBRUARY.start.isoformat(), amount, "", "", "", "", "realtime", "fee", text, ""]


def requests() -> Iterator[UsageRecord]:
    """February, evenly: three models, two channels, some long contexts, some timeouts."""
    draw = random.Random(7)
    for number in range(REQUESTS):
        yield UsageRecord(
            id=f"r{number}",
            used_at=FEBRUARY.start + timedelta(seconds=number * 28 * 86_400 // REQUESTS),
            vendor="anthropic",
            model=draw.choice(MODELS),
            channel=draw.choice(("realtime", "realtime", "batch")),
            outcome=draw.choice(("ok",) * 40 + ("timeout",)),
            context_tokens=draw.choice((10_000,) * 9 + (300_000,)),
            quantities={meter: draw.randint(1, 20_000) for meter in METERS},
        )


def write(usage: TextIO, bill: TextIO) -> Vendor:
    vendor = Vendor(CompiledTerms(contract(), catalog()))
    names = ("id", "used_at", "vendor", "model", "channel", "outcome", "context_tokens")
    to_usage, to_bill = csv.writer(usage), csv.writer(bill)
    to_usage.writerow((*names, *METERS))
    to_bill.writerow(COLUMNS)
    with localcontext(EXACT):
        for record in requests():
            to_usage.writerow([*(getattr(record, name) for name in names), *record.quantities.values()])
            to_bill.writerows(vendor.bill(record))
        to_bill.writerows(vendor.fees())
    return vendor


@pytest.mark.soak
def test_every_kind_of_mistake_is_found_in_a_million_rows(tmp_path: Path) -> None:
    terms, usage, bill = (tmp_path / name for name in ("contract.yaml", "usage.csv", "bill.csv"))
    terms.write_text(TEXT)
    with usage.open("w", newline="") as usage_file, bill.open("w", newline="") as bill_file:
        vendor = write(usage_file, bill_file)
    lake = tmp_path / "usage.parquet"
    import_usage([usage], lake)
    started = process_time()
    compared = compare_bill([lake], [bill], terms, options=ReadOptions(mapping=MAPPING))
    took_s = process_time() - started

    found: Found = defaultdict(Decimal)
    with localcontext(EXACT):
        for each in compared.result.differences:
            found[each.cause, each.clause] += each.amount
    assert 13 == len(vendor.mistakes)
    assert dict(vendor.mistakes) == dict(found)
    assert vendor.rounding == compared.result.rounding
    assert 1_000_000 <= vendor.rows == compared.result.bill.rows
    assert took_s < 120, "a million rows in well under two minutes on one core"

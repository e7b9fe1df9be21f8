"""What is in use already, and what asks are worth, in dollars of a month that rating gave.

1.5B output tokens on opus, 1% of them failed or cut short: 375 USD a month that a clean policy gives back
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.list_only import FILE as LIST_PRICES
from offtake.contract.parse import parse_data
from offtake.planner.levers.pricing import Cost, Shop, sum_of
from offtake.planner.levers.running import READ, WRITES, caches, seller, uncached
from offtake.planner.levers.stack import ORDER, Priced, chosen
from offtake.planner.rated import Pricing
from offtake.planner.workload import Workload
from offtake.values.money import ZERO, divide, quantize, total

RATE_CARD = ("10%", "30%")
"""What a negotiated rate card takes off list at committed volume, as a rule: on a single high-spend model."""


Failed = Sequence[tuple[str, Decimal]]
"""Outcomes, and the share of a workload's output that each has."""


@dataclass(frozen=True, slots=True)
class InUse:
    """A lever that the usage itself shows, and what it saves against the same usage without it.

    `share` is of the tokens (batch) or of the text input that is read from the cache; `written` of that input.
    """

    lever: str
    saving: Decimal
    share: Decimal
    written: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Worth:
    """Dollars a month that asks would bring, and on which assumption."""

    asks: tuple[str, ...]
    vendor: str
    value: Cost
    assumes: str


def in_use(workloads: Sequence[Workload], shop: Shop) -> tuple[InUse, ...]:
    """Batch and caching as the usage shows them."""
    batch = [each for each in workloads if each.channel == "batch"]
    cache = [each for each in workloads if caches(each)]
    found = []
    if batch:
        saving = total(shop.cost(replace(each, channel="realtime")) - shop.cost(each) for each in batch)
        found.append(InUse("batch", saving, _share(_tokens(batch), _tokens(workloads))))
    if cache:
        saving = total(shop.cost(uncached(each)) - shop.cost(each) for each in cache)
        prompt = sum(
            each.quantities.get(meter, 0) for each in workloads for meter in ("input_tokens", READ, *WRITES.values())
        )
        read = sum(each.quantities.get(READ, 0) for each in workloads)
        written = sum(each.quantities.get(meter, 0) for each in workloads for meter in WRITES.values())
        found.append(InUse("cache", saving, _share(read, prompt), _share(written, prompt)))
    return tuple(found)


def failed_requests(workloads: Sequence[Workload], failed: Sequence[Failed], shop: Shop) -> tuple[Worth, ...]:
    """What the output of failed and truncated requests is billed at under the terms in force, by seller."""
    found: dict[str, Decimal] = {}
    for workload, shares in zip(workloads, failed, strict=True):
        for outcome, share in shares:
            output = int(workload.quantities.get("output_tokens", 0) * share)
            cost = shop.cost(replace(workload, quantities={"output_tokens": output}), outcome=outcome)
            found[seller(workload)] = found.get(seller(workload), ZERO) + cost
    return tuple(
        Worth(
            ("FR-01", "FR-02"),
            name,
            Cost(value, value),
            "the failed and truncated requests that are billed now are free",
        )
        for name, value in found.items()
        if value
    )


def rate_card(found: Priced) -> tuple[Worth, ...]:
    """What 10% to 30% off list would take from what is left to buy of each vendor after batch, cache and routing.

    Only where what is in force now is the public list; a signed contract has its own discounts.
    """
    shop = found.shops[0]
    if shop.pricing.contract.file != LIST_PRICES:
        return ()
    ways = chosen(found, ORDER[:3])
    parts = {end: found.parts(ways, 0, best=end) for end in (True, False)}
    worths = []
    for vendor in dict.fromkeys(seller(part) for part in parts[True]):
        savings = []
        for share in RATE_CARD:
            lower = replace(shop, pricing=Pricing(discounted(shop.pricing.contract, share), shop.pricing.catalog))
            for end in (True, False):
                own = [part for part in parts[end] if seller(part) == vendor]
                savings.append(total(shop.cost(part) - lower.cost(part) for part in own))
        value = Cost(min(savings), max(savings))
        worths.append(
            Worth(("PR-01",), vendor, value, f"{RATE_CARD[0]} to {RATE_CARD[1]} off list is agreed on what is left")
        )
    return tuple(worths)


def region(observed: Sequence[Workload], pinned: Sequence[Workload], shop: Shop) -> tuple[Worth, ...]:
    """What pinning to a region adds at list, by vendor: the waiver of the uplift is worth that much."""
    found: dict[str, list[Cost]] = {}
    for before, after in zip(observed, pinned, strict=True):
        uplift = shop.cost(after) - shop.cost(before)
        found.setdefault(seller(after), []).append(Cost(uplift, uplift))
    sums = ((vendor, sum_of(costs)) for vendor, costs in found.items())
    return tuple(
        Worth(("DE-01",), vendor, value, "the region's uplift is waived") for vendor, value in sums if value.high
    )


def discounted(contract: Contract, share: str) -> Contract:
    """A contract of list prices with one discount on everything."""
    data = dict(contract.versions[0].data)
    prices = data["prices"]
    assert isinstance(prices, dict)
    data["prices"] = {**prices, "discounts": [{"models": "*", "share": share}]}
    return parse_data(data, contract.file, {}, f"{contract.hash} {share}")


def _tokens(workloads: Sequence[Workload]) -> int:
    return sum(
        quantity for each in workloads for meter, quantity in each.quantities.items()
        if meter.endswith("_tokens") and meter != "reasoning_tokens"
    )  # fmt: skip


def _share(part: int, whole: int) -> Decimal:
    return quantize(divide(Decimal(part), whole), 4) if whole else ZERO

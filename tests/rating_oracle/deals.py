"""Contracts, list prices and usage for the properties: any mix of clauses, as the text of a contract file.

Tokens cost about a dollar, so that a handful of them crosses every threshold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from offtake.contract.contract import Contract
from offtake.contract.parse import parse, parse_data
from offtake.usage.record import UsageRecord
from tests.rating_oracle import clauses
from tests.rating_oracle.clauses import NUMBERS, Picks, shares
from tests.rating_oracle.dates import midnight
from tests.rating_oracle.price_list import Listed, Price, PriceList
from tests.rating_oracle.reading import Deal

MODELS = ("one", "two", "late")
METERS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
EPOCH = datetime.fromisoformat("2020-01-01T00:00:00+00:00")


@dataclass(frozen=True)
class Case:
    """A contract as data, the same as text that was parsed, list prices, usage, and what people did meanwhile.

    `opt_ins` to lower prices are instants and patterns of models; `top_ups` are days, ids and dollars.
    """

    deal: Deal
    book: PriceList
    records: tuple[UsageRecord, ...]
    opt_ins: tuple[tuple[datetime, str], ...] = ()
    top_ups: tuple[tuple[date, str, int], ...] = ()

    @cached_property
    def contract(self) -> Contract:
        """The contract, without the detour over the text of a file, which takes as long as rating it."""
        return parse_data(typed(self.deal), "deal.yaml", {}, "")

    @cached_property
    def written(self) -> Contract:
        """The contract as the product reads it from its file."""
        return parse(as_text(self.deal), "deal.yaml")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis prints of a failing case: the contract file, the rows, the prices."""
        printer.text(str(self))

    def __str__(self) -> str:
        rows = "\n".join(
            f"  {r.id} {r.used_at:%Y-%m-%dT%H:%M:%S} {r.model} {r.channel} {r.outcome} {dict(r.quantities)}"
            f"{f' context {r.context_tokens}' if r.context_tokens is not None else ''} {r.workload}"
            for r in self.records
        )
        prices = "\n".join(
            f"  {model} {channel} {each.start:%Y-%m-%d %H:%M} {dict(each.prices)}"
            for (model, channel), listed in self.book.book.items()
            for each in listed
        )
        facts = "\n".join(f"  {at} {what}" for at, *what in (*self.opt_ins, *self.top_ups))
        return f"{as_text(self.deal)}\n{rows}\n{prices}\n{facts}"


def as_text(deal: Mapping[str, Any]) -> str:
    """A contract file: JSON is YAML, but for its dates, which stand without quotes."""
    written = "\n".join(f"{key}: {json.dumps(value)}" for key, value in deal.items())
    return re.sub(r'"(\d{4}-\d\d-\d\d)"', r"\1", written)


def typed(node: Any) -> Any:
    """What reading the file makes of the values: dates, and exact numbers."""
    if isinstance(node, dict):
        return {key: typed(value) for key, value in node.items()}
    if isinstance(node, list):
        return [typed(value) for value in node]
    if isinstance(node, str) and DAY.fullmatch(node):
        return date.fromisoformat(node)
    return Decimal(str(node)) if isinstance(node, float) else node


AMOUNTS = [Decimal(text) for text in ("0.5", "1", "1.25", "2", "3", "0.7777")]


@st.composite
def price_lists(draw: st.DrawFn, deal: Deal, changes_max: int = 3) -> PriceList:
    """Prices that change on days of the term or before, thresholds at four tokens of context, a late model."""
    zone = deal["term"]["time_zone"]
    picks = Picks(draw(NUMBERS))
    book: dict[tuple[str, str], list[Listed]] = {}
    launched = {}
    for model in MODELS:
        starts = [EPOCH]
        if model == "late":
            starts = [midnight(date.fromisoformat(picks.day_in(deal)), zone)]
            launched[model] = starts[0]
        moved = [picks.of((picks.day_in(deal), "2023-08-01")) for _ in range(picks.of(range(changes_max + 1)))]
        starts += [at for day in moved if (at := midnight(date.fromisoformat(day), zone)) > starts[0]]
        apart = picks.of((False, True)) and model == "two"
        has_threshold = picks.of((False, True))
        for start in sorted(set(starts)):
            base = picks.of(AMOUNTS)
            prices: dict[str, Price] = {}
            for meter, times in zip(METERS, ("1", "0.1", "1.25", "2", "5"), strict=True):
                above = ((4, base * 2 * Decimal(times)),) if has_threshold else ()
                prices[meter] = (base * Decimal(times), above)
            if apart:
                prices["reasoning_tokens"] = (base * 7, ())
            book.setdefault((model, "realtime"), []).append(Listed(start, prices))
        book[model, "batch"] = _batch(picks, deal, starts[0], apart)
    return PriceList(book, launched)


def _batch(picks: Picks, deal: Deal, first: datetime, apart: bool) -> list[Listed]:
    """A batch price of its own, which moves on its own days."""
    zone = deal["term"]["time_zone"]
    moved = [midnight(date.fromisoformat(picks.day_in(deal)), zone) for _ in range(picks.of((0, 0, 1, 2)))]
    above = picks.of((False, False, True))
    meters = [
        *zip(METERS, ("1", "0.1", "1.25", "2", "5"), strict=True),
        *([("reasoning_tokens", "7")] if apart else []),
    ]
    listed = []
    for start in sorted({first, *(at for at in moved if at > first)}):
        base = picks.of(AMOUNTS) * Decimal("0.6")
        prices = {
            meter: (base * Decimal(times), ((2, base * 3 * Decimal(times)),) if above else ())
            for meter, times in meters
        }
        listed.append(Listed(start, prices))
    return listed


@st.composite
def usage(
    draw: st.DrawFn, deal: Deal, models: Sequence[str], turns: Sequence[str], rows_max: int = 10
) -> tuple[UsageRecord, ...]:
    """Requests of few tokens, many of them around the days on which something turns, some outside of the term."""
    zone = deal["term"]["time_zone"]
    picks = Picks(draw(NUMBERS))
    days = [*(picks.day_in(deal) for _ in range(picks.of(range(1, 5)))), *turns, deal["term"]["from"]]
    rows = []
    models = picks.of([models, models[:1]])
    known = picks.of([METERS, METERS[:1], ("input_tokens", "output_tokens")])
    failures = ["ok"] * 4 + ["http_5xx", "refusal", "timeout", "not_dispatched"]
    # One value or several of each dimension, so that records often share a line.
    channels, accesses, regions, workloads, outcomes = (
        picks.of([each, each[:1]])
        for each in (["realtime", "batch"], ["api", "bedrock"], ["global", "eu"], ["chat", "dev-x"], failures)
    )
    for number in range(draw(st.integers(1, rows_max) | st.just(rows_max))):
        picks = Picks(draw(NUMBERS))
        at = midnight(date.fromisoformat(picks.of(days)), zone)
        if picks.of((False, True)):
            at += timedelta(seconds=picks.of(range(-30 * 3600, 30 * 3600)), microseconds=picks.of((0, 0, 1)))
        quantities = {meter: picks.of(range(1, 6)) for meter in picks.some(known, 1, 3)}
        if "output_tokens" in quantities and picks.of((False, True)):
            quantities["reasoning_tokens"] = picks.of(range(1, quantities["output_tokens"] + 1))
        rows.append(
            UsageRecord(
                id=f"r{number}", used_at=at, model=picks.of(models), quantities=quantities,
                channel=picks.of(channels), access=picks.of(accesses), region=picks.of(regions),
                workload=picks.of(workloads), outcome=picks.of(outcomes),
                context_tokens=picks.of([None, None, 4, 5]),
            )
        )  # fmt: skip
    return tuple(rows)


@st.composite
def cases(
    draw: st.DrawFn, *parts: str, models: Sequence[str] = MODELS, amended: bool = False, rows_max: int = 10
) -> Case:
    """A case with these parts of the language: prices, tiers, commitments, credits, fees."""
    deal = draw(clauses.terms())
    top_ups: tuple[tuple[date, str, int], ...] = ()
    if "prices" in parts:
        deal["prices"] = draw(clauses.unit_prices(deal))
    else:
        deal["prices"]["discounts"] = [{"models": "*", "share": draw(shares("0", "20", "12.5"))}]
    deal["failed_requests"] = draw(clauses.FAILED)
    if "tiers" in parts:
        deal["prices"]["tiers"] = draw(clauses.tiers())
        deal["prices"].setdefault("combine", {"how": "multiply"})
    if "commitments" in parts:
        deal["commitments"] = [draw(clauses.commitments(deal))]
        if draw(st.integers(0, 3)) == 3:
            deal["commitments"].append({**draw(clauses.commitments(deal)), "id": "second"})
    if "credits" in parts:
        deal["credits"] = draw(clauses.credits(deal))
        top_ups = draw(clauses.wallets(deal))
    if "fees" in parts:
        deal["fees"] = draw(clauses.fees())
    for commitment in deal.get("commitments", []):
        if _rolls_inside_tokens(deal, commitment):
            del commitment["rollover"]
    if amended:
        deal["amendments"] = draw(clauses.amendments(deal))
    book = draw(price_lists(deal))
    launched = book.launched["late"]
    zone = ZoneInfo(deal["term"]["time_zone"])
    changes = {each.start.astimezone(zone).date().isoformat() for listed in book.book.values() for each in listed}
    turns = [day for day in sorted(changes) if deal["term"]["from"] < day < deal["term"]["until"]]
    turns += [each["effective"] for each in deal.get("amendments", [])]
    records = draw(usage(deal, models, turns, rows_max))
    records = tuple(replace(r, model="one") if r.model == "late" and r.used_at < launched else r for r in records)
    return Case(deal, book, records, draw(clauses.opt_ins(deal)) if "prices" in parts else (), top_ups)


def _rolls_inside_tokens(deal: Deal, commitment: Deal) -> bool:
    """Whether rolled money may begin to pay inside a token while bands count tokens.

    The engine then leaves out as many tokens as the money is worth, the oracle those that it paid in full: a token's
    difference, which the words of no contract decide.
    """
    tiers = deal["prices"].get("tiers")
    if not tiers or tiers["measure"]["amount"] != "tokens" or "amount" not in commitment:
        return False
    rollover = commitment.get("rollover")
    uncounted = any(not each["counts"] for each in deal.get("credits", []))
    return rollover is not None and (rollover["order"] == "last" or uncounted)

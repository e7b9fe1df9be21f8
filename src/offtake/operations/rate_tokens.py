"""Rates the tokens of an evaluated model: at list, or under a contract, by the one engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from offtake.operations.contracts import Opened
from offtake.planner.routing.evaluation import Evaluation
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord, validated
from offtake.values.errors import OfftakeError
from offtake.values.money import total


@dataclass(frozen=True, slots=True)
class RatedTokens:
    """What tokens cost; None, with the reason, where nothing prices them."""

    cost: Decimal | None
    reason: str = ""


def rated_tokens(
    run: Evaluation, tokens: Mapping[str, int], opened: Opened, at: datetime, channel: str = "realtime"
) -> RatedTokens:
    """What tokens cost on a run's model at an instant. Each request is taken to lie below every context threshold."""
    record = UsageRecord(
        id=run.name, used_at=at, model=run.priced_as or run.model, quantities=dict(tokens), channel=channel,
        context_tokens=0,
    )  # fmt: skip
    try:
        rated = rate_records([validated(record)], opened.contract, opened.catalog, opened.facts)
    except OfftakeError as error:
        return RatedTokens(None, error.findings[0].what)
    lines = [line for invoice in rated.invoices for line in invoice.lines if line.kind == "usage"]
    cost = total(line.amounts.contracted for line in lines)
    if rated.unpriced or not cost:
        return RatedTokens(None, _words(rated.unpriced) or f"no price for {record.model}")
    return RatedTokens(cost)


def _words(unpriced: Sequence[object]) -> str:
    """The first reason, without its code."""
    return str(unpriced[0]).splitlines()[0].partition("]: ")[2] if unpriced else ""

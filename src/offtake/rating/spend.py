"""Contracted spend of an interval: what a conditional step asks for."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from offtake.rating.compiled import CompiledTerms
from offtake.rating.source import Source, Survey
from offtake.values.money import ZERO
from offtake.values.periods import Interval


def contracted_spend(
    terms: CompiledTerms, survey: Survey, source: Source, interval: Interval, met: Mapping[int, bool]
) -> Decimal:
    """Σ contracted cost of the usage in an interval, before tiers, under the steps that were met so far."""
    from offtake.rating.planning import By
    from offtake.rating.rate import _pass

    compiled = CompiledTerms(terms.contract, terms.catalog, terms.book.facts, dict(met))
    invoices, _ = _pass(source, compiled, survey, By(day=False), interval, "low")
    lines = (line for invoice in invoices.invoices if invoice.period.start in interval for line in invoice.lines)
    return sum((line.amounts.contracted for line in lines if line.kind == "usage"), ZERO)

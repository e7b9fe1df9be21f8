"""Usage whose prompts are not known: what can be said of caching, and nothing more.

How much of the input stands in prompts that are long enough to be cached gives the lowest and the highest cost that
can be; what a vendor already billed as cached gives the cost that is. A hit rate is never assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from offtake.planner.cache.break_even import break_even, ratio_range
from offtake.planner.cache.rules import CacheRules
from offtake.planner.cache.tally import decimal
from offtake.rating.groups import GroupPlan, Slice
from offtake.rating.source import Source
from offtake.values.periods import Interval
from offtake.values.shown import share

READ, WRITTEN = "cache_read_tokens", ("cache_write_5m_tokens", "cache_write_1h_tokens")
INPUT = ("input_tokens", READ, *WRITTEN)


@dataclass(slots=True)
class Observed:
    """Sums over one workload and model. `short`: input tokens of requests below the minimum, which no cache takes."""

    workload: str
    model: str
    rules: CacheRules
    requests: int = 0
    short: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(INPUT, 0))

    @property
    def input(self) -> int:
        """All input, cached or not."""
        return sum(self.tokens.values())

    @property
    def cacheable(self) -> Fraction:
        """The most of the input that can be cached, as a share; buckets do not say how long their requests are."""
        return Fraction(self.input - self.short, self.input) if self.input else Fraction(0)

    def ratios(self, ttl: str) -> tuple[Decimal, Decimal]:
        """The lowest and the highest ratio that can be."""
        low, high = ratio_range(self.rules, ttl, self.cacheable)
        return decimal(low), decimal(high)

    def measured(self) -> Decimal | None:
        """The ratio that was billed; None where nothing was read from a cache or written to one."""
        cached = sum(self.tokens[meter] for meter in (READ, *WRITTEN))
        if not cached:
            return None
        cost = self.tokens["input_tokens"] + self.tokens[READ] * self.rules.read
        cost += sum(
            self.tokens[meter] * self.rules.write(ttl) for meter, ttl in zip(WRITTEN, ("5m", "1h"), strict=True)
        )
        return decimal(Fraction(cost) / self.input)

    def sentence(self) -> str:
        """What to make of it."""
        ttl = self.rules.ttls[0]
        needed = break_even(self.rules, ttl).read_share
        measured = self.measured()
        if measured is not None:
            read = decimal(Fraction(self.tokens[READ], self.input))
            return (
                f"{share(read)} of the input was read from a cache: it cost {share(measured)} of what it would plain."
            )
        low, high = self.ratios(ttl)
        least = f"caching pays above {share(decimal(needed), 2)} read" if needed else "caching costs nothing extra"
        return (
            f"This file does not say which prompts begin alike: {least} ({ttl}), and the input will cost between "
            f"{share(low)} and {share(high)} of what it does plain."
        )


def observe(source: Source, rules_of: Callable[[str, str], CacheRules | None]) -> list[Observed]:
    """The sums of usage, the most input first. `rules_of` gives the rules of a (vendor, model); None leaves it out."""
    survey = source.survey(workloads=True)
    if survey.first is None or survey.last is None:
        return []
    pairs = dict.fromkeys((lane.vendor, lane.model) for lane in survey.lanes)
    rules = {pair: known for pair in pairs if (known := rules_of(*pair)) is not None}
    minimums = {model: (each.min_prefix_tokens - 1,) for (_, model), each in rules.items() if each.min_prefix_tokens}
    span = Interval(survey.first, survey.last + timedelta(microseconds=1))
    plan = GroupPlan(span, (Slice(span.start, span.end, 0),), minimums, ("vendor", "model", "workload"))
    found: dict[tuple[str, str], Observed] = {}
    for group in source.group(plan).groups:
        vendor, model, workload = (value or "" for value in group.key.values)
        each = rules.get((vendor, model))
        if each is None:
            continue
        into = found.setdefault((workload, model), Observed(workload, model, each))
        into.requests += group.count
        for meter in INPUT:
            into.tokens[meter] += group.quantities.get(meter, 0)
        if group.key.band == 0 and each.min_prefix_tokens:
            into.short += sum(group.quantities.get(meter, 0) for meter in INPUT)
    return sorted(found.values(), key=lambda each: -each.input)

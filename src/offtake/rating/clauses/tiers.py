"""Volume tiers: deeper discounts as usage grows.

Clause: `prices.tiers`.
Source: S2 "push for aggressive discounts at each tier … or retroactive credits if you hit higher
tiers unexpectedly"; OpenMeter and Lago for the arithmetic of both kinds.

Why it matters: `graduated` prices what falls in each band; `volume` prices everything at the band reached and credits
the difference in the period that reaches it. The measure is the cost with every factor but tiers; `at: frozen` keeps a
price drop from pushing a buyer below a step. Bands of money are one adjustment line (quantity in USD, unit price the
share). An upper bound belongs to the lower band.

Example: up to 500,000 0%, to 1,000,000 5%, then 10%; spend 1,200,000. Graduated: 500,000 × 5% + 200,000 × 10% =
45,000.00 off. Volume: 1,200,000 × 10% = 120,000.00 off, of which what earlier periods gave is already booked.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial

from offtake.contract.patterns import match
from offtake.contract.schema.prices import Tiers
from offtake.rating.committed import windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import share_of, tokens_of
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.usage.meters import TOKEN_METERS
from offtake.values.money import from_pico, to_pico
from offtake.values.periods import Period

PATH = "prices.tiers"
MEASURED, TIER, TOTAL, GIVEN = (f"{PATH}.{name}" for name in ("measured", "tier", "total", "given"))
WINDOWS: dict[str, Period] = {"month": "month", "quarter": "quarter", "contract_year": "year"}


def bounds(tiers: Tiers) -> tuple[int, ...]:
    """The upper bounds of all bands but the last, in tokens or picodollars."""
    edges = [tier.up_to for tier in tiers.steps[:-1]]
    return tuple(edge if isinstance(edge, int) else to_pico(edge.amount) for edge in edges if edge is not None)


def band(edges: tuple[int, ...], total: int) -> int:
    """The band that a total has reached: a total on the bound is in the lower band."""
    return sum(total > edge for edge in edges)


def split(edges: tuple[int, ...], before: int, amount: int) -> list[tuple[int, int]]:
    """An amount that comes after `before`, as (band, part) for each band that it falls in; the parts sum to it."""
    if not edges or before + amount <= edges[0]:
        return [(0, amount)]
    parts = []
    low = before
    for index, edge in enumerate((*edges, None)):
        high = before + amount if edge is None else min(edge, before + amount)
        if high > low:
            parts.append((index, high - low))
            low = high
    return parts or [(band(edges, before), amount)]


@dataclass(frozen=True)
class TiersClause:
    """Accounts: measured (what moves the buyer up), discounted.N (contracted dollars in band N of the open period)."""

    terms: CompiledTerms
    path: str = PATH
    acts_on_usage = True

    @cached_property
    def text(self) -> Tiers:
        """The tiers of the latest text that has any."""
        found = [v.terms.prices.tiers for v in self.terms.contract.versions if v.terms.prices.tiers]
        assert found[-1] is not None
        return found[-1]

    @cached_property
    def edges(self) -> tuple[int, ...]:
        return bounds(self.text)

    @cached_property
    def is_frozen(self) -> bool:
        """Whether the measure may differ from the contracted cost: it ignores price drops, and there may be some."""
        dropping = any(version.terms.prices.price_drops for version in self.terms.contract.versions)
        return self.text.measure.at == "frozen" and dropping

    @cached_property
    def in_price(self) -> bool:
        """Graduated token bands change the unit price of each token; every other kind is an adjustment line."""
        return self.text.kind == "graduated" and self.text.measure.amount == "tokens"

    @cached_property
    def may_cut(self) -> bool:
        """Token bands always; money bands where the measure is not the money that is discounted."""
        return self.text.kind == "graduated" and (self.text.measure.amount != "contracted" or self.is_frozen)

    def windows(self) -> Iterable[Window]:
        contract = self.terms.contract
        if self.text.window == "term":
            yield Window("tiers", contract.span)
        else:
            every = WINDOWS[self.text.window]
            for interval in windows_of(contract, every):
                yield Window("tiers", interval)
        yield from (Window("period", period) for period in self.terms.periods)

    def opens(self, window: Window, run: Run) -> None:
        if window.name == "tiers":
            run.accounts.update({MEASURED: 0, TIER: 0, TOTAL: 0, GIVEN: 0})

    def measure(self, piece: Piece) -> int:
        """What a piece adds to the measure."""
        if not match(self.text.models, piece.lane.model.id):
            return 0
        if self.text.measure.amount == "tokens":
            return int(tokens_of(piece))
        if self.text.measure.amount == "list":
            return piece.public
        return piece.undropped if self.is_frozen else piece.contracted

    def use(self, piece: Piece, run: Run) -> None:
        amount = self.measure(piece)
        accounts = run.accounts
        before = int(accounts[MEASURED])
        after = accounts[MEASURED] = before + amount
        if self.in_price:
            accounts[TIER] = sum(after >= edge for edge in self.edges)
        elif self.text.kind == "volume":
            run.add(TOTAL, piece.contracted if match(self.text.models, piece.lane.model.id) else 0)
        elif amount:
            for index, part in split(self.edges, before, amount):
                run.add(f"{PATH}.discounted.{index}", share_of(part, amount, piece.contracted))

    def closes(self, window: Window, run: Run) -> None:
        run.book(self.charges(run), "adjustment")  # at the end of a period, and of a window that ends inside one

    def charges(self, run: Run) -> list[Charge]:
        if self.in_price:
            return []
        if self.text.kind == "volume":
            return self._retroactive(run)
        found = []
        for path, account, share in self._discounts:
            base = run.take(account)
            if base:
                found.append(Charge(path, base, share, base * share, partial(_words, base, share)))
        return found

    @cached_property
    def _discounts(self) -> list[tuple[str, str, Decimal]]:
        """(path, account, −share) of every band that gives one."""
        steps = enumerate(self.text.steps)
        return [(f"{PATH}.steps[{i}]", f"{PATH}.discounted.{i}", -step.share) for i, step in steps if step.share]

    def _retroactive(self, run: Run) -> list[Charge]:
        index = band(self.edges, int(run.accounts[MEASURED]))
        share, total = self.text.steps[index].share, int(run.accounts[TOTAL])
        due, given = total * share, Decimal(run.accounts[GIVEN])
        run.accounts[GIVEN] = due
        if due == given:
            return []
        return [Charge(f"{PATH}.steps[{index}]", total, -share, given - due, partial(_difference, total, share, given))]

    def cuts(self, run: Run) -> Iterable[Cut]:
        left = (edge - int(run.accounts[MEASURED]) for edge in self.edges)
        ahead = tuple(Decimal(edge) for edge in left if edge > 0)
        if ahead:
            yield Cut(self.measure, ahead, self.plain if self.text.measure.amount == "tokens" else None)

    @cached_property
    def plain(self) -> dict[str, Decimal]:
        """Every token weighs one."""
        return {meter: Decimal(1) for meter in TOKEN_METERS}


def _words(base: int, share: Decimal) -> str:
    return f"{from_pico(base).normalize():,f} in this band × {-share:.2%} off"


def _difference(total: int, share: Decimal, given: Decimal) -> str:
    before = given.scaleb(-12).normalize()
    return f"{from_pico(total).normalize():,f} so far × {share:.2%} off, less {before:,f} given before"

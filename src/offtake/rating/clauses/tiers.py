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
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial

from offtake.contract.patterns import match
from offtake.contract.schema.prices import Tiers
from offtake.rating.committed import windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import share_of, tokens_of
from offtake.rating.piece import Entry, Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.usage.meters import TOKEN_METERS
from offtake.values.money import from_pico, to_pico
from offtake.values.periods import Interval, Period

PATH = "prices.tiers"
MEASURED, TIER, TOTAL, GIVEN = (f"{PATH}.{name}" for name in ("measured", "tier", "total", "given"))
PLAIN = {meter: Decimal(1) for meter in TOKEN_METERS}  # every token weighs one
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
class Bands:
    """The tiers of one text, in force from an instant on. `dropping`: some price may drop while they are."""

    text: Tiers
    begins: datetime
    amended: bool
    dropping: bool

    @cached_property
    def edges(self) -> tuple[int, ...]:
        """The upper bounds of all bands but the last."""
        return bounds(self.text)

    @cached_property
    def is_frozen(self) -> bool:
        """Whether the measure may differ from the contracted cost: it ignores price drops, and there may be some."""
        return self.text.measure.at == "frozen" and self.dropping

    @cached_property
    def in_price(self) -> bool:
        """Graduated token bands change the unit price of each token; every other kind is an adjustment line."""
        return self.text.kind == "graduated" and self.text.measure.amount == "tokens"

    @cached_property
    def may_cut(self) -> bool:
        """Token bands always; money bands where the measure is not the money that is discounted."""
        return self.text.kind == "graduated" and (self.text.measure.amount != "contracted" or self.is_frozen)

    @cached_property
    def key(self) -> str:
        """What tells the lines of amended bands apart."""
        return f"{self.begins:%Y-%m-%d}" if self.amended else ""

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """By band: the account of its contracted dollars."""
        return tuple(f"{PATH}.discounted.{index}.{self.key}" for index in range(len(self.edges) + 1))

    def tier(self, measured: int) -> int:
        """The token band that the next token falls in; 0 where no token band changes a price."""
        return sum(measured >= edge for edge in self.edges) if self.in_price else 0

    def measure(self, piece: Piece) -> int:
        """What a piece adds to the measure. What a fee or a shortfall had paid already counts nowhere."""
        if not match(self.text.models, piece.lane.model.id):
            return 0
        if self.text.measure.amount == "tokens":
            return int(tokens_of(piece)) - sum([_waived_tokens(entry) for entry in piece.entries])
        if piece.waived:
            return sum([self.of_entry(entry) for entry in piece.entries])
        if self.text.measure.amount == "list":
            return piece.public
        return piece.undropped if self.is_frozen else piece.contracted

    def of_entry(self, entry: Entry) -> int:
        """What one meter of a piece adds to a measure in money."""
        if self.text.measure.amount == "list":
            whole = 0 if entry.is_free else entry.public
        else:
            whole = entry.undropped if self.is_frozen else entry.contracted
        return whole - share_of(entry.waived, entry.contracted, whole) if entry.waived else whole


@dataclass(frozen=True)
class TiersClause:
    """Accounts: measured (what moves the buyer up), tier, total and given (volume), discounted.N (money in band N)."""

    terms: CompiledTerms
    path: str = PATH
    acts_on_usage = True

    @cached_property
    def versions(self) -> tuple[Bands, ...]:
        """The bands of each text that differs from the one before it."""
        contract = self.terms.contract
        found: list[Bands] = []
        for version in contract.versions:
            tiers = version.terms.prices.tiers
            if tiers and not (found and found[-1].text == tiers):
                dropping = any(each.terms.prices.price_drops for each in contract.versions)
                found.append(Bands(tiers, version.effective, version.effective > contract.span.start, dropping))
        return tuple(found)

    @property
    def text(self) -> Tiers:
        """The latest text."""
        return self.versions[-1].text

    @property
    def edges(self) -> tuple[int, ...]:
        """Its bounds."""
        return self.versions[-1].edges

    def bands_at(self, at: datetime) -> Bands | None:
        """The bands in force at an instant; None before an amendment brought them, or after one took them away."""
        return self._by_version[self.terms.contract.version_number(at)]

    @cached_property
    def _by_version(self) -> tuple[Bands | None, ...]:
        found = []
        for version in self.terms.contract.versions:
            begun = [bands for bands in self.versions if bands.begins <= version.effective]
            found.append(begun[-1] if begun and version.terms.prices.tiers else None)
        return tuple(found)

    @cached_property
    def may_cut(self) -> bool:
        return any(bands.may_cut for bands in self.versions)

    def windows(self) -> Iterable[Window]:
        contract = self.terms.contract
        if self.text.window == "term":
            yield Window("tiers", contract.span)
        else:
            for interval in windows_of(contract, WINDOWS[self.text.window]):
                yield Window("tiers", interval)
        for version in contract.versions[1:]:
            yield Window("amended", Interval(version.effective, contract.span.end))
        yield from (Window("period", period) for period in self.terms.periods)

    def opens(self, window: Window, run: Run) -> None:
        if window.name == "tiers":
            run.accounts.update({MEASURED: 0, TIER: 0, TOTAL: 0, GIVEN: 0})
        elif window.name == "amended":
            bands = self.bands_at(window.interval.start)
            run.accounts[TIER] = bands.tier(int(run.accounts[MEASURED])) if bands else 0

    def use(self, piece: Piece, run: Run) -> None:
        bands = self.bands_at(piece.at)
        if bands is None:
            return
        amount, accounts = bands.measure(piece), run.accounts
        before = int(accounts[MEASURED])
        after = accounts[MEASURED] = before + amount
        if bands.in_price:
            accounts[TIER] = bands.tier(after)
        elif bands.text.kind == "volume":
            matches = match(bands.text.models, piece.lane.model.id)
            run.add(TOTAL, piece.contracted - piece.waived if matches else 0)
        elif amount:
            self._discount(piece, bands, before, amount, run)

    def _discount(self, piece: Piece, bands: Bands, before: int, amount: int, run: Run) -> None:
        parts = split(bands.edges, before, amount)
        if len(parts) == 1:
            run.add(bands.accounts[parts[0][0]], piece.contracted - piece.waived)
            return
        for entry in piece.in_schema_order:  # money splits anywhere, also inside a token
            measured = bands.of_entry(entry)
            for index, part in split(bands.edges, before, measured):
                run.add(bands.accounts[index], share_of(part, measured, entry.contracted - entry.waived))
            before += measured

    def closes(self, window: Window, run: Run) -> None:
        """A discount is booked at the end of a period, and of a window that ends inside one."""
        inside = window.name == "tiers" and run.period is not None and window.interval.end < run.period.end
        run.book(self.charges(run), "adjustment", key=self.terms.contract.day(window.interval.start) if inside else "")

    def charges(self, run: Run) -> list[Charge]:
        found = []
        for path, account, share, key in self._discounts:
            base = run.take(account) if account in run.accounts else 0
            if base:
                found.append(Charge(path, base, share, base * share, partial(_words, base, share), key))
        return found + self._retroactive(run)

    @cached_property
    def _discounts(self) -> list[tuple[str, str, Decimal, str]]:
        """(path, account, −share, key) of every band that gives one."""
        return [
            (f"{PATH}.steps[{i}]", bands.accounts[i], -step.share, bands.key)
            for bands in self.versions
            for i, step in enumerate(bands.text.steps)
            if step.share and bands.text.kind == "graduated" and not bands.in_price
        ]

    def _retroactive(self, run: Run) -> list[Charge]:
        total = int(run.accounts.get(TOTAL, 0))
        bands = self.bands_at(run.used_at) if total else None
        if bands is None or bands.text.kind != "volume":
            return []
        index = band(bands.edges, int(run.accounts[MEASURED]))
        share = bands.text.steps[index].share
        due, given = total * share, Decimal(run.accounts[GIVEN])
        run.accounts[GIVEN] = due
        if due == given:
            return []
        why = partial(_difference, total, share, given)
        return [Charge(f"{PATH}.steps[{index}]", total, -share, given - due, why, bands.key)]

    def cuts(self, run: Run) -> Iterable[Cut]:
        bands = self.bands_at(run.now)
        left = (edge - int(run.accounts[MEASURED]) for edge in bands.edges) if bands and bands.may_cut else ()
        ahead = tuple(Decimal(edge) for edge in left if edge > 0)
        if bands and ahead:
            yield Cut(bands.measure, ahead, PLAIN if bands.text.measure.amount == "tokens" else None)


def _waived_tokens(entry: Entry) -> int:
    """As many whole tokens as what was paid before is worth, also where that payment began inside a token."""
    return entry.waived // entry.price.contracted if entry.waived else 0


def _words(base: int, share: Decimal) -> str:
    return f"{from_pico(base).normalize():,f} in this band × {-share:.2%} off"


def _difference(total: int, share: Decimal, given: Decimal) -> str:
    before = given.scaleb(-12).normalize()
    return f"{from_pico(total).normalize():,f} so far × {share:.2%} off, less {before:,f} given before"

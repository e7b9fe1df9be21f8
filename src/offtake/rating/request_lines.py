"""The lines of one request: integers at hand, dollars and words on demand.

A gateway prices thousands of requests a second and reads the words of few, so a line is made when someone looks at it.
`RequestLine` and `ChargeLine` read as a `Line` does; `full` makes every field of every line at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Amounts
from offtake.rating.piece import Entry, Piece
from offtake.rating.usage_lines import why
from offtake.rating.windows import Charge
from offtake.values.money import EXACT, PICO_EXPONENT, ZERO, from_pico

_scaled = EXACT.scaleb
_made = tuple.__new__  # what a NamedTuple's constructor does, without its keywords


class FullLine(NamedTuple):
    """A line of one request with every field made."""

    id: str
    kind: str
    clause: str
    model: str
    meter: str
    quantity: Decimal
    unit_price: Decimal
    amounts: Amounts
    why: str


class RequestLine:
    """One line of one request: integers at hand, dollars and words on demand. Reads as a `Line` does."""

    __slots__ = ("_credit", "clause", "entry", "piece")
    unit = "token"
    high = None

    def __init__(self, piece: Piece, entry: Entry, credit: bool = False) -> None:
        self.clause = entry.policy or entry.price.clause
        self.piece = piece
        self.entry = entry
        self._credit = credit

    @property
    def id(self) -> str:
        """Stable for the same clause on the same usage."""
        kind = "/credit" if self._credit else ""
        return f"{self.piece.day}/{self.clause}/{self.model}/{self.meter}{kind}"

    @property
    def kind(self) -> str:
        """Usage, or the credit that a failed-request policy gives."""
        return "credit" if self._credit else "usage"

    @property
    def model(self) -> str:
        """The catalogue's name of the model."""
        return self.piece.lane.model.id

    @property
    def meter(self) -> str:
        """What was counted."""
        return self.entry.price.meter

    @property
    def quantity(self) -> Decimal:
        """Pieces of the meter."""
        return Decimal(self.entry.quantity)

    @property
    def unit_price(self) -> Decimal:
        """Dollars a piece; 0 for what a clause makes free."""
        return ZERO if self.entry.is_free else self.entry.price.dollars

    @property
    def amounts(self) -> Amounts:
        """The four costs, exact."""
        entry = self.entry
        if self._credit:
            given = -entry.credited.scaleb(-12, EXACT)
            return Amounts(ZERO, ZERO, given, given)
        contracted = from_pico(entry.contracted)
        if not entry.covered:
            return Amounts(from_pico(entry.public), contracted, contracted, contracted)
        billed = from_pico(entry.billed)
        effective = EXACT.add(billed, entry.covered_cost.scaleb(-12, EXACT))
        return Amounts(from_pico(entry.public), contracted, effective, billed)

    @property
    def why(self) -> str:
        """The arithmetic in words."""
        entry = self.entry
        outcome = "" if self.piece.outcome == "ok" else self.piece.outcome
        return why(entry.price, entry.quantity, entry.contracted, self.clause, outcome)

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """The derivation of the unit price: (clause path, sentence) pairs."""
        return self.entry.price.steps


class ChargeLine:
    """What a clause adds to one request: a tier discount, an overage premium. Reads as a `Line` does."""

    __slots__ = ("_at", "_charge", "clause")
    unit = "USD"
    model = meter = ""
    high = None
    steps: tuple[tuple[str, str], ...] = ()

    def __init__(self, charge: Charge, at: datetime) -> None:
        self.clause = charge.path
        self._charge = charge
        self._at = at

    @property
    def id(self) -> str:
        """Stable for the same clause on the same usage."""
        return f"{self._at.date().isoformat()}/{self.clause}"

    @property
    def kind(self) -> str:
        """A credit that pays usage, a commitment's premium, or an adjustment."""
        return next((kind for kind in ("credit", "commitment") if self.clause.startswith(kind)), "adjustment")

    @property
    def quantity(self) -> Decimal:
        """The base, in dollars."""
        return from_pico(self._charge.base)

    @property
    def unit_price(self) -> Decimal:
        """The share of the base."""
        return self._charge.share

    @property
    def amounts(self) -> Amounts:
        """It has no list price; it costs what it bills."""
        amount = self._charge.amount.scaleb(-12, EXACT)
        return Amounts(ZERO, ZERO, amount, amount)

    @property
    def why(self) -> str:
        """The arithmetic in words."""
        return self._charge.why()


class RequestLines(Sequence["RequestLine | ChargeLine"]):
    """The lines of one request; picodollars in `pieces` and `charges` until they are asked for."""

    __slots__ = ("charges", "pieces", "terms")

    def __init__(self, terms: CompiledTerms, pieces: list[Piece], charges: list[Charge]) -> None:
        self.terms = terms
        self.pieces = pieces
        self.charges = charges

    @property
    def total(self) -> Decimal:
        """What the request is billed, exact, in dollars."""
        pico = Decimal(sum([piece.billed for piece in self.pieces]))
        for charge in self.charges:
            pico = EXACT.add(pico, charge.amount)
        for piece in self.pieces:
            for entry in piece.entries:
                if entry.credited:
                    pico = EXACT.subtract(pico, entry.credited)
        return EXACT.scaleb(pico, -12)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # int or slice, as any sequence
        return list(iter(self))[index]

    def full(self) -> list[FullLine]:
        """Every line with every field made."""
        made = []
        for piece in self.pieces:
            day, model = piece.day, piece.lane.model.id
            for entry in piece.entries:
                if entry.policy or entry.covered:
                    made += [full(line) for line in _lines(piece, entry)]
                else:
                    made.append(_plain(entry, day, model))
        return made + [full(ChargeLine(charge, self.pieces[0].at)) for charge in self.charges]

    def __iter__(self) -> Iterator[RequestLine | ChargeLine]:
        for piece in self.pieces:
            for entry in piece.entries:
                yield from _lines(piece, entry)
        for charge in self.charges:
            yield ChargeLine(charge, self.pieces[0].at)


def full(line: RequestLine | ChargeLine) -> FullLine:
    """A line with every field made."""
    return FullLine(
        line.id, line.kind, line.clause, line.model, line.meter, line.quantity, line.unit_price, line.amounts, line.why
    )


def _lines(piece: Piece, entry: Entry) -> list[RequestLine]:
    line = RequestLine(piece, entry)
    return [line, RequestLine(piece, entry, credit=True)] if entry.credited else [line]


def _plain(entry: Entry, day: str, model: str) -> FullLine:
    """`full` for what nearly every line is, billed whole: each dollar amount is made once."""
    price, quantity = entry.price, entry.quantity
    cost = _scaled(entry.contracted, PICO_EXPONENT)
    public = cost if price.public == price.contracted else _scaled(price.public * quantity, PICO_EXPONENT)
    clause, meter = price.clause, price.meter
    counted = quantity if quantity < 1_000 else f"{quantity:,}"
    return _made(
        FullLine,
        (
            f"{day}/{clause}/{model}/{meter}",
            "usage",
            clause,
            model,
            meter,
            Decimal(quantity),
            price.dollars,
            _made(Amounts, (public, cost, cost, cost)),
            f"{counted} × {price.shown} = {cost.normalize():,f} ({price.derivation})",
        ),
    )

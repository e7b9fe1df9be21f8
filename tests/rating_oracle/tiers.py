"""Volume tiers and blocks, token by token."""

from __future__ import annotations

from datetime import date
from fnmatch import fnmatchcase
from fractions import Fraction

from tests.rating_oracle.commitments import Book, Token
from tests.rating_oracle.dates import Window, origin_of, windows
from tests.rating_oracle.reading import Deal, money, share


class Tiers:
    """The state of `prices.tiers`. What a block or a rolled lot gave is waived: it neither counts nor is discounted."""

    def __init__(self, deal: Deal, book: Book) -> None:
        self.text: Deal = deal["prices"]["tiers"]
        self.book = book
        first, until = (date.fromisoformat(deal["term"][key]) for key in ("from", "until"))
        every = self.text["window"]
        self.windows: list[Window] = (
            [(first, until)] if every == "term" else windows(every, origin_of(deal, every), first, until)
        )
        self.tokens = self.text["measure"]["amount"] == "tokens"
        read = Fraction if self.tokens else money
        self.edges = [read(str(step["up_to"])) for step in self.text["steps"][:-1]]
        self.measured = self.total = self.given = Fraction(0)
        self.in_band = [Fraction(0) for _ in self.text["steps"]]

    @property
    def tier(self) -> int:
        """The band that the next token falls in."""
        return sum(self.measured >= edge for edge in self.edges)

    def use(self, token: Token) -> None:
        """One token happens; money may cross an edge inside it."""
        if not fnmatchcase(token.model, self.text.get("models", "*")):
            return
        base = token.contracted - token.waived
        rest = base / token.contracted if token.contracted else Fraction(1)
        amount = self._measure(token) * rest
        if self.tokens:
            amount = Fraction(int(rest > 0))  # a token of which some was paid for counts
        before, self.measured = self.measured, self.measured + amount
        self.total += base
        low = before
        for band, edge in enumerate([*self.edges, self.measured]):
            high = max(low, min(edge, self.measured))
            if amount:
                self.in_band[band] += base * (high - low) / amount
            low = high

    def _measure(self, token: Token) -> Fraction:
        measure = self.text["measure"]
        if measure["amount"] == "list":
            return token.public
        return token.undropped if measure["at"] == "frozen" else token.contracted

    def settle(self) -> None:
        """At the end of a billing period, or of a window inside one: the discount so far."""
        if self.text["kind"] == "volume":
            due = self.total * share(self.text["steps"][sum(self.measured > edge for edge in self.edges)]["share"])
            self.book("adjustment", "prices.tiers", self.given - due)
            self.given = due
        elif not self.tokens:
            for band, step in enumerate(self.text["steps"]):
                self.book("adjustment", "prices.tiers", -self.in_band[band] * share(step["share"]))
        self.in_band = [Fraction(0) for _ in self.text["steps"]]

    def close(self) -> None:
        """The window ends: settle, and count again from zero."""
        self.settle()
        self.windows.pop(0)
        self.measured = self.total = self.given = Fraction(0)

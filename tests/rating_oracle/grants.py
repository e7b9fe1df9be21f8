"""Credits and top-ups: lots that pay, in the order of priority, named order, expiry and creation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from fractions import Fraction

from tests.rating_oracle.commitments import Token
from tests.rating_oracle.dates import months_on
from tests.rating_oracle.reading import Deal, money, share

NEVER = date(9999, 1, 1)


@dataclass
class Grant:
    """What is left of one grant. `clause` is its path in the contract."""

    clause: str
    order: tuple[object, ...]
    left: Fraction
    start: date
    end: date
    models: str
    applies_to: str
    counts: bool

    def fits(self, token: Token, day: date) -> bool:
        """Whether it may pay a token of that day."""
        return self.applies_to != "fees" and self.start <= day < self.end and fnmatchcase(token.model, self.models)


def grants_of(deal: Deal, top_ups: list[tuple[date, str, Fraction]]) -> list[Grant]:
    """Every grant of a deal, in burn order."""
    first = date.fromisoformat(deal["term"]["from"])
    found = []
    for index, credit in enumerate(deal.get("credits", [])):
        end = NEVER if credit["expires"] == "never" else date.fromisoformat(credit["expires"])
        start = date.fromisoformat(credit.get("starts", first.isoformat()))
        if end <= start:
            continue  # it lapses before it starts
        path = f"credits[{index}]"
        order: tuple[object, ...] = (credit["priority"], 0, end, start, path)
        amount, models = money(credit["amount"]), credit.get("models", "*")
        found.append(Grant(path, order, amount, start, end, models, credit["applies_to"], credit["counts"]))
    clause = deal.get("top_ups")
    for day, name, cash in top_ups if clause else []:
        assert clause is not None
        lapse = clause["expires_after"]
        end = NEVER if lapse == "never" else months_on(day, int(lapse.split()[0]))
        for kind, amount in (("paid", cash), ("promotional", cash * share(clause["bonus"]))):
            order = (1000, clause["burn_order"].index(kind), end, day, f"top_ups.{kind}", name)
            found.append(Grant(f"top_ups.{kind}", order, amount, day, end, "*", "usage", True))
    return sorted(found, key=lambda grant: grant.order)

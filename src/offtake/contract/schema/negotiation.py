"""`<name>.negotiation.yaml`: what was offered and what we want, at paths of the contract beside it."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from offtake.contract.schema.field_types import Term

STANCES = ("offered", "ask", "fallback", "walk_away")


class Stance(Term):
    """The positions on one term, each in the shape that the term has in the contract file; `removed` takes it out."""

    offered: Any = None
    """What the other side put on the table."""
    ask: Any = None
    """What we ask for."""
    fallback: Any = None
    """What we settle for."""
    walk_away: Any = None
    """Where we stop."""
    note: str | None = None
    """Why."""


class NegotiationFile(Term):
    """Positions by path. Only what was agreed stands in the contract file."""

    negotiation: str
    """The name of the contract that it is about."""
    stances: dict[str, Stance] = Field(min_length=1)
    """By path, such as `prices.discounts[0].share` or `commitments[spend].overage.surcharge`."""

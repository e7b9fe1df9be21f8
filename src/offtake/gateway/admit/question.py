"""What a rule of admission looks at: the question, the text in force, and what was suspended or withdrawn since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import PurePath
from typing import NamedTuple

from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.gateway.ask import Refusal
from offtake.gateway.outlet import KeyRules, Outlet


class Question(NamedTuple):
    """May this key send a request of this model here? `stores`: it asks the vendor to keep something of it.

    `model` is the catalogue's id of the model, under which usage is recorded and priced.
    """

    outlet: Outlet
    key: KeyRules
    dialect: str
    model: str
    channel: str = "realtime"
    region: str = "global"
    stores: bool = False


class Suspension(NamedTuple):
    """Since when and why a model (a pattern) is not used under a contract, or under any (`*`)."""

    contract: str
    model: str
    event: str
    since: datetime
    by: str = ""


class Looked(NamedTuple):
    """A question with what answers it. `withdrawn`: (suite, model) → why an admission ended early."""

    asked: Question
    at: datetime
    contract: Contract
    terms: Terms
    suspensions: tuple[Suspension, ...] = ()
    withdrawn: Mapping[tuple[str, str], str] = {}

    def clause(self, path: str) -> str:
        """A term as refusals name it."""
        return clause_of(self.contract, path, self.at)


Rule = Callable[[Looked], Refusal | None]


def clause_of(contract: Contract, path: str, at: datetime | None = None) -> str:
    """A term with its place: `residency.regions (acme.yaml:41)`. Clients read it, but not the file's folder."""
    place = contract.place(path, at)
    file = PurePath(place.file).name
    return f"{path} ({file}:{place.line})" if place.line else f"{path} ({file})"

"""The scenario file: one scenario, or a list of them.

    name         a whole sentence that says what holds
    source       where it comes from: a paragraph, a standard, an issue
    note         anything a reader should know
    contract     a path beside this file, the terms themselves, or `{text: |}` for a file that is not good YAML
    changes      {path.of.the[0].term: value}: this case's edits of the contract; null takes a term away
    catalog      one or more files of list prices, beside this file
    facts        rows of the facts file, such as {kind: top_up, at: 2026-01-05, id: t1, amount: 999 USD}
    usage        see `usage_of`
    booked       {through: 2026-03, usage, changes, catalog, facts}: what was known when these months were invoiced
    price        {model, at, channel, …}: one unit price is asked for
    estimate     {model, input, output, cache_read, cache_write, ttl, batch}: as the command's flags
    expect       one or more expectations, each with `because`: see `compare`

Keys are a closed set: what is misspelt is an error and not a case that tests nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from offtake.operations.scenarios.compare import NEED_RATING
from offtake.operations.scenarios.node import Node
from offtake.values.errors import Place

KEYS = (
    "name", "source", "note", "contract", "changes", "catalog", "facts", "usage", "booked", "price", "estimate",
    "expect",
)  # fmt: skip
BOOKED = ("changes", "catalog", "facts", "usage")
EXPECTATIONS = (*NEED_RATING, "check", "configurations", "because")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One case as it is written; the nodes are read when it runs. What `over` says stands before what `node` says."""

    name: str
    place: Place
    node: Node
    over: Node | None = None

    def item(self, key: str) -> Node | None:
        """What the scenario says under a key."""
        return (self.over and self.over.item(key)) or self.node.item(key)

    @property
    def booked(self) -> Scenario | None:
        """The case as it was when it was invoiced, where the scenario says so."""
        before = self.node.item("booked")
        return replace(self, over=before.only("through", *BOOKED)) if before else None


def scenarios_of(text: str, file: str) -> list[Scenario]:
    """The scenarios of a file's text, in order. InputError or ContractError where it cannot be read."""
    found: list[Scenario] = []
    names: dict[str, Place] = {}
    for node in Node.read(text, file).items():
        node.only(*KEYS)
        name = node.need("name").text()
        if name in names:
            raise node.fail(f"two scenarios are called {name!r}", hint=f"the first is at {names[name]}")
        names[name] = node.place
        for expectation in node.need("expect").items():
            expectation.only(*EXPECTATIONS).need("because").text()
        if sum(node.item(key) is not None for key in ("price", "estimate", "usage")) > 1:
            raise node.fail("a scenario has one of `usage`, `price` and `estimate`")
        found.append(Scenario(name, node.place, node))
    return found

"""Run scenarios: read the files, price each case, say what differs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from pathlib import Path

from offtake.contract.check import check
from offtake.contract.contract import Contract
from offtake.operations.estimate import Workload, estimate
from offtake.operations.scenarios.build import beside, catalog_of, catalog_paths, contract_of, facts_of
from offtake.operations.scenarios.compare import NEED_RATING, Mismatch, compare, configurations, corrected, texts
from offtake.operations.scenarios.file import Scenario, scenarios_of
from offtake.operations.scenarios.node import Node
from offtake.operations.scenarios.usage import record_of, usage_of
from offtake.rating.corrections import Booked, corrections
from offtake.rating.lines import Invoices, Line
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError, OfftakeError, Place
from offtake.values.money import ZERO


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scenario: it holds where there are no mismatches and no error."""

    name: str
    place: Place
    mismatches: tuple[Mismatch, ...] = ()
    error: str = ""

    @property
    def holds(self) -> bool:
        """Whether everything is as expected."""
        return not self.mismatches and not self.error

    def __str__(self) -> str:
        words = [f"{self.place}: {self.name}", *([self.error] if self.error else [])]
        for each in self.mismatches:
            words += [
                f"  {each.what}",
                f"    expected {each.expected}",
                f"    got      {each.got}",
                f"    because  {each.because}",
            ]
        return "\n".join(words)


def scenario_files(paths: Iterable[Path]) -> list[Path]:
    """Files as named, and the scenario files under folders: YAML with `expect`, and every list in a folder `scenarios`.

    Contracts and catalogues beside them are neither; hidden folders are left out. InputError where a folder has none.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.rglob("*.yaml") if _is_scenarios(file, path)) if path.is_dir() else [path]
        if not inside:
            hint = "a scenario file is a list of {name, contract, usage, expect}"
            raise InputError("U182", f"no scenarios in {path}", hint=hint)
        found += inside
    return found


def run_file(path: Path, name: str = "") -> Iterator[Outcome]:
    """The outcomes of one file, in order: of scenarios whose name contains `name`.

    A file that cannot be read is one outcome with its error.
    """
    try:
        scenarios = read_file(path)
    except OfftakeError as error:
        yield Outcome("the file can be read", Place(str(path)), error=str(error))
        return
    for scenario in scenarios:
        if name in scenario.name:
            yield run_scenario(scenario)


def read_file(path: Path) -> list[Scenario]:
    """The scenarios of a file."""
    try:
        return scenarios_of(path.read_text(encoding="utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise InputError("U183", "the file is not UTF-8 text", where=Place(str(path))) from error
    except OSError as error:
        raise InputError("U183", f"the file cannot be read: {error.strerror}", where=Place(str(path))) from error


def run_scenario(scenario: Scenario) -> Outcome:
    """Price one case and compare. An error that the scenario expects is a result like any other."""
    errors = [(each, node) for each in scenario.node.need("expect").items() if (node := each.item("error"))]
    try:
        mismatches = list(_mismatches(scenario))
        mismatches += [Mismatch("error", node.text(), "no error", each.need("because").text()) for each, node in errors]
    except OfftakeError as error:
        if not errors:
            return Outcome(scenario.name, scenario.place, error=str(error))
        said = str(error)
        unlike = [(each, node) for each, node in errors if node.text() not in said]
        mismatches = [Mismatch("error", node.text(), said, each.need("because").text()) for each, node in unlike]
    return Outcome(scenario.name, scenario.place, tuple(mismatches))


def _mismatches(scenario: Scenario) -> Iterator[Mismatch]:
    if workload := scenario.item("estimate"):
        yield from _estimated(scenario, workload)
        return
    price = scenario.item("price")
    records = [_priced(price)] if price else usage_of(scenario.item("usage"))
    contract = contract_of(scenario, records)
    expectations = scenario.node.need("expect").items()
    if any(node.item(key) for node in expectations for key in NEED_RATING):
        result = _rated(scenario, contract, records)
        for node in expectations:
            yield from compare(result, contract, node)
            if wanted := node.item("corrections"):
                yield from corrected(_corrections(scenario, result), wanted, contract.zone, node.need("because").text())
    for node in expectations:
        if findings := node.item("check"):
            said = tuple(str(finding) for finding in check(contract, catalog_of(scenario)))
            yield from texts("finding of check", findings, said, node.need("because").text())


def _rated(scenario: Scenario, contract: Contract, records: list[UsageRecord]) -> Invoices:
    """The invoices of the whole term, so that what falls due in a month without usage is seen."""
    facts = facts_of(scenario, contract.zone)
    return rate_records(records, contract, catalog_of(scenario), facts, span=contract.span)


def _corrections(scenario: Scenario, now: Invoices) -> tuple[Line, ...]:
    """What changed in the periods that were invoiced on what was known then."""
    before = scenario.booked
    if before is None or before.over is None:
        raise scenario.node.fail("`corrections` needs `booked`: what was known when the periods were invoiced")
    records = usage_of(before.item("usage"))
    contract = contract_of(before, records)
    through = before.over.need("through").text()
    closed = [
        invoice
        for invoice in _rated(before, contract, records).invoices
        if f"{invoice.period.start.astimezone(contract.zone):%Y-%m}" <= through
    ]
    lines = [
        Booked(invoice.period, line.id, line.amounts, line.high or line.amounts, {"clause": line.clause})
        for invoice in closed
        for line in invoice.lines
    ]
    return corrections(tuple(invoice.period for invoice in closed), tuple(lines), now)


def _estimated(scenario: Scenario, node: Node) -> Iterator[Mismatch]:
    """What `offtake estimate` gives, configuration by configuration."""
    node.only("model", "input", "output", "cache_read", "cache_write", "ttl", "batch", "at")
    ttl, contract, at = node.item("ttl"), scenario.item("contract"), node.item("at")

    def share(key: str) -> Decimal:
        item = node.item(key)
        return item.number() if item else ZERO

    found = estimate(
        Workload(
            node.need("model").text(),
            node.need("input").count(),
            node.need("output").count(),
            share("cache_read"),
            share("cache_write"),
            ttl.text() if ttl else "5m",
            share("batch"),
        ),
        beside(scenario, contract) if contract else None,
        catalogs=catalog_paths(scenario),
        at=at.instant() if at else None,
    )
    totals = {each.name: each.total for each in found.configurations}
    for each in scenario.node.need("expect").items():
        yield from configurations(totals, each.need("configurations"), each.need("because").text())


def _priced(node: Node) -> UsageRecord:
    """A million pieces of each meter that is asked for, so that the line's unit price is all that matters."""
    meters = {meter.text(): 1_000_000 for meter in node.need("meters").items()}
    fields = {key: item.value for key, item in node.entries() if key != "meters"}
    row = Node({**fields, **meters}, node.path, node.places)
    return record_of(row, "price", node.need("at").instant().astimezone(UTC), context_tokens=0)


def _is_scenarios(file: Path, below: Path) -> bool:
    if any(part.startswith(".") for part in file.relative_to(below).parts):
        return False
    text = file.read_text(encoding="utf-8", errors="replace")
    listed = r"^- |" if file.parent.name == "scenarios" else ""
    return re.search(rf"{listed}^(  |- )?expect:", text, re.MULTILINE) is not None

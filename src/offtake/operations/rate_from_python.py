"""Rate usage from Python: `offtake.rate`, over files or over records in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from offtake.contract.contract import Contract
from offtake.operations.contracts import LOCK, load_contract, load_facts
from offtake.operations.price_record import as_record, is_paths
from offtake.operations.rate_usage import list_prices_for
from offtake.operations.usage_input import UsageInput, in_memory, open_usage
from offtake.rating.lines import Invoices
from offtake.rating.rate import rate as rate_source
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord

Usage = str | Path | Sequence[str | Path] | Iterable[UsageRecord | Mapping[str, Any]]


def rate(
    usage: Usage,
    contract: Contract | str | Path | None = None,
    *,
    catalogs: Sequence[str | Path] = (),
    facts: Sequence[str | Path] = (),
) -> Invoices:
    """The invoices of usage files, or of records (or mappings of their fields) in memory.

    Without a contract the prices are list prices. Duplicates by id are dropped and counted. Rows that cannot be read,
    that conflict, or that nothing prices are counted in `invoices.control`, which is then not complete. A lock beside
    the contract's file is used.
    """
    if isinstance(contract, (str, Path)):
        contract = load_contract(contract)
    with _opened(usage) as opened:
        terms = contract or list_prices_for(opened.source)
        lock = Path(terms.file).with_name(LOCK)
        catalog = open_catalog([Path(each) for each in catalogs], lock if contract and lock.exists() else None)
        found = rate_source(opened.source, terms, catalog, load_facts([Path(each) for each in facts], terms))
        return replace(found, control=opened.counted(found.control))


@contextmanager
def _opened(usage: Any) -> Iterator[UsageInput]:
    if is_paths(usage):
        with open_usage([usage] if isinstance(usage, (str, Path)) else usage) as opened:
            yield opened
    else:
        yield in_memory(as_record(each) for each in usage)

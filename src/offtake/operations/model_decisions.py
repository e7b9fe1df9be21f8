"""Suspending a model under a contract, and withdrawing it from an evaluation suite, while the gateway runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from offtake.contract.patterns import match
from offtake.ledger.decisions import ENDS, Decision, standing
from offtake.operations.contracts import Opened, open_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG, gateway_ledger
from offtake.operations.serve_config import load_config
from offtake.store.ledger.decisions import decide, read_decisions
from offtake.store.ledger.leases import microseconds
from offtake.store.ledger.ledger import Ledger
from offtake.values.errors import CatalogError, InputError


@contextmanager
def books_of(config: Path | None, store: Path | None) -> Iterator[tuple[Ledger, list[Opened]]]:
    """The ledger and the contracts of the configuration; no contracts where only a store was named."""
    file = config or (DEFAULT_CONFIG if store is None and DEFAULT_CONFIG.exists() else None)
    opened = []
    if file is not None:
        loaded = load_config(file)
        opened = [
            open_contract(loaded.path(each.file), catalogs=[loaded.path(name) for name in each.catalogs])
            for each in loaded.settings.contracts
        ]
    with gateway_ledger(config, store, create=True) as ledger:
        yield ledger, opened


def record(decision: Decision, *, config: Path | None, store: Path | None) -> tuple[Decision, list[str]]:
    """Write a decision down, and the models that it concerns as far as the configuration knows them.

    InputError (L725) where nothing in force has that contract, suite or model, or where there is nothing to end.
    """
    if not decision.by.strip() or not decision.why.strip():
        raise InputError("L725", "a decision needs who and why", hint="--by NAME, and --event or --why")
    with books_of(config, store) as (ledger, contracts):
        found = []
        if decision.kind in ENDS:
            _check_stands(decision, standing(read_decisions(ledger)))
        elif contracts:
            found = _models(decision, contracts)
            if not any(match(decision.model, name) for name in found):  # a name of people's: the books have the id
                decision = replace(decision, model=found[0])
        decide(ledger, decision)
        return decision, found


def made(kind: str, subject: str, model: str, why: str, by: str) -> Decision:
    """A decision of now."""
    return Decision(kind, microseconds(datetime.now(UTC)), subject, model, why, by)


def decisions_so_far(*, config: Path | None, store: Path | None) -> tuple[list[Decision], list[Decision]]:
    """(those that hold now, all of them in their order)."""
    with gateway_ledger(config, store) as ledger:
        found = read_decisions(ledger)
        return standing(found), found


def _check_stands(decision: Decision, held: list[Decision]) -> None:
    began = ENDS[decision.kind]
    pairs = [(each.subject, each.model) for each in held if each.kind == began]
    if (decision.subject, decision.model) not in pairs:
        known = ", ".join(" ".join(pair) for pair in pairs) or "nothing"
        raise InputError(
            "L725", f"nothing to {decision.kind}: {decision.subject} {decision.model}", hint=f"there is: {known}"
        )


def _models(decision: Decision, contracts: list[Opened]) -> list[str]:
    """The models that it concerns: a name that fits nothing would stop nothing, and nobody would know."""
    if decision.kind == "withdraw":
        concerned = [each for each in contracts if decision.subject in _suites(each)]
        known = [name for each in contracts for name in _suites(each)]
    else:
        concerned = [each for each in contracts if decision.subject in ("*", each.contract.signed.contract)]
        known = [each.contract.signed.contract for each in contracts]
    if not concerned:
        word = "suite" if decision.kind == "withdraw" else "contract"
        near = get_close_matches(decision.subject, known, 1) or known
        raise InputError(
            "L725", f"no {word} {decision.subject!r} in force", hint=f"there is: {', '.join(near) or 'none'}"
        )
    found = sorted({name for each in concerned for name in _named(each, decision)})
    if not found:
        raise InputError(
            "L725", f"no model {decision.model!r} under {decision.subject}", hint="`offtake catalog show` lists models"
        )
    return found


def _suites(opened: Opened) -> list[str]:
    terms = opened.contract.as_of(datetime.now(UTC))
    return [suite.suite for suite in (terms.models.evaluation if terms.models else None) or []]


def _named(opened: Opened, decision: Decision) -> list[str]:
    vendor = opened.contract.signed.vendor
    if decision.kind == "suspend":
        sold = [facts.id for facts in opened.catalog.models(vendor)]
        found = [name for name in sold if match(decision.model, name)]
        if found or not sold:  # of a vendor without a list, any name may be
            return found or [decision.model]
    try:
        return [opened.catalog.resolve(decision.model, vendor).id]
    except CatalogError:
        return []

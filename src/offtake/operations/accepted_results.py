"""Signed results of `offtake accept` beside a contract: `acme.accepted/` of `acme.yaml`, read when the contract is.

What was changed since it was signed, or is of another contract, admits nothing. A wrong file ends no reading: the model
it speaks of is refused as if the file were not there.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from offtake.contract.contract import Contract
from offtake.contract.schema.models import Evaluation
from offtake.operations.gateway_store import DEFAULT_CONFIG, store_path
from offtake.operations.signatures import is_signed
from offtake.planner.routing.accepted import Accepted, shortfall
from offtake.store.ledger.keys import has_secret, server_secret

BYTES_MAX = 65_536
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def accepted_folder(contract_file: Path) -> Path:
    """Where the results for a contract are."""
    return contract_file.with_name(f"{contract_file.stem}.accepted")


def suites_of(contract: Contract, at: datetime) -> list[Evaluation]:
    """The suites of the text in force."""
    models = contract.as_of(at).models
    return (models.evaluation if models else None) or []


def read_accepted(
    contract_file: Path, contract: Contract, store: Path, at: datetime
) -> tuple[tuple[Accepted, ...], dict[Path, str]]:
    """(the results that were signed for a contract, why files admit nothing at an instant).

    A result that admits nothing today is among the first too where its signature is good: the contract's text may
    change. LedgerError where the secret beside the store may be read by others.
    """
    found, aside = [], {}
    for path in sorted(accepted_folder(contract_file).glob("*.json")):
        if path.name.startswith("."):  # one that is being written
            continue
        result = _result(path, contract.signed.contract, store)
        if isinstance(result, Accepted):
            found.append(result)
        why = result if isinstance(result, str) else _why_not(result, contract, at)
        if why:
            aside[path] = why
    return tuple(found), aside


def accepted_beside(
    contract: Contract, at: datetime, config: Path | None = None, store: Path | None = None
) -> tuple[tuple[Accepted, ...], list[str]]:
    """`read_accepted` for who runs no gateway: (the results, in words what lies there and does not count).

    The secret is that of the store, or of the configuration's; by default of offtake.toml here, if it is there.
    """
    file = Path(contract.file)
    folder = accepted_folder(file)
    if not folder.is_dir():
        return (), []
    if config is None and store is None and not DEFAULT_CONFIG.exists():
        return (), [f"{folder} was not read: --config or --store says whose signatures count"]
    found, aside = read_accepted(file, contract, store_path(config, store), at)
    return found, [f"{path} admits nothing: {why}" for path, why in aside.items()]


def _result(path: Path, contract: str, store: Path) -> Accepted | str:
    """What a file says, or why it says nothing of this contract."""
    try:
        if not path.is_file() or path.stat().st_size > BYTES_MAX:
            return "it is no file, or too large to be one of `offtake accept`"
        document: Any = json.loads(path.read_bytes())
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return "it is no JSON that `offtake accept` writes"
    document.pop("schema_version", None)
    if not has_secret(store) or not is_signed(document, server_secret(store)):
        return "it was changed since it was signed, or signed with another store's secret"
    match document:
        case {
            "suite": str(suite), "model": str(model), "passed": int(passed), "tasks": int(tasks), "until": str(until),
            "contracts": list(contracts),
        } if 0 <= passed <= tasks > 0 and _DAY.fullmatch(until):  # fmt: skip
            if contract not in contracts:
                return f"it is of {', '.join(map(str, contracts)) or 'no contract'}, not of {contract}"
            return Accepted(suite, model, passed, tasks, date.fromisoformat(until))
    return "it is signed, and no result of `offtake accept`"


def _why_not(result: Accepted, contract: Contract, at: datetime) -> str:
    suites = [suite for suite in suites_of(contract, at) if suite.suite == result.suite]
    if not suites:
        return f"the contract names no suite {result.suite} in models.evaluation"
    if result.until <= at.astimezone(contract.zone).date():
        return f"it ended on {result.until}; run the suite again"
    short = [why for suite in suites if (why := shortfall(result.passed, result.tasks, suite))]
    return short[0] if len(short) == len(suites) else ""

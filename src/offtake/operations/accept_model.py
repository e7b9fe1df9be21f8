"""The buyer's own suite run against a model through the gateway, and the signed result that an admission rests on.

The result is for the contracts of the configuration that name the suite (the file's name without its ending) in
`models.evaluation`, and is kept beside each of them, where the gateway reads it.

A suite is a CSV or YAML list of tasks: `prompt`, and `expected` (a text that the answer holds) or `matches` (a regular
expression). A task without an answer says nothing of the model, so that a run with one is not signed.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

from offtake.contract.schema.models import Evaluation
from offtake.operations.accepted_results import accepted_folder, suites_of
from offtake.operations.contracts import open_contract
from offtake.operations.gateway_store import DEFAULT_CONFIG
from offtake.operations.serve_config import ServeConfig, load_config
from offtake.operations.signatures import signed
from offtake.planner.routing.accepted import shortfall
from offtake.store.files import replacing
from offtake.store.ledger.keys import server_secret
from offtake.values.errors import CatalogError, InputError, OutsideError
from offtake.values.yaml_text import read_yaml

KEY = "OFFTAKE_GATEWAY_KEY"
TRIES, AT_ONCE, TIMEOUT_SECONDS = 4, 4, 300
AGAIN = (429, 500, 502, 503, 504, 529)


@dataclass(frozen=True, slots=True)
class Task:
    """One prompt, and what its answer has to match."""

    prompt: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Run:
    """The signed result, and the line of `models.evaluation.admitted` that it stands for.

    `files`: where it belongs, one for each contract that names the suite. `short`: by contract, why it admits nothing
    there; "" where it admits.
    """

    document: dict[str, object]
    admission: str
    files: tuple[Path, ...]
    short: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Naming:
    """A contract that names the suite, and the model as its catalogue has it."""

    file: Path
    contract: str
    model: str
    suites: tuple[Evaluation, ...]

    def short(self, passed: int, tasks: int) -> str:
        found = [shortfall(passed, tasks, suite) for suite in self.suites]
        return "" if "" in found else found[0]


def accept(model: str, suite: Path, today: date, days: int, tokens_max: int, *, config: Path | None, url: str) -> Run:
    """Run the suite. InputError (L727) for a wrong suite or no key; OutsideError (G710) where a task has no answer.

    Raises what a wrong configuration or contract raises.
    """
    loaded = load_config(config or DEFAULT_CONFIG)
    tasks = read_suite(suite)
    key = os.environ.get(KEY, "")
    if not key:
        raise InputError("L727", f"{KEY} is not set", hint="`offtake keys create --name acceptance` makes a key")
    naming = _naming(loaded, suite.stem, model)
    gateway = loaded.settings.gateway
    base = (url or f"http://{gateway.host}:{gateway.port}").rstrip("/")

    def passes(task: Task) -> bool:
        return task.pattern.search(_answer(base, key, model, task.prompt, tokens_max)) is not None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        passed = sum(pool.map(passes, tasks))
    named = naming[0].model if naming else model
    until = today + timedelta(days=days)
    score = (Decimal(passed) * 100 / len(tasks)).quantize(Decimal("0.01"), ROUND_DOWN).normalize()
    document: dict[str, object] = {
        "model": named, "suite": suite.stem, "suite_sha256": hashlib.sha256(suite.read_bytes()).hexdigest(),
        "contracts": [each.contract for each in naming], "passed": passed, "tasks": len(tasks), "score": f"{score:f}%",
        "evaluated": today.isoformat(), "until": until.isoformat(),
    }  # fmt: skip
    line = f"- {{model: {named}, score: {score:f}%, tasks: {len(tasks)}, evaluated: {today}, until: {until}}}"
    files = tuple(accepted_folder(each.file) / f"{suite.stem}.{_file_name(named)}.json" for each in naming)
    short = {each.contract: each.short(passed, len(tasks)) for each in naming}
    return Run(signed(document, server_secret(loaded.store)), line, files, short)


def keep(text: str, files: Iterable[Path]) -> None:
    """Write a result beside its contracts. OutsideError (O510) where that may not be written."""
    for path in files:
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise OutsideError(
                "O510", f"cannot make {path.parent}: {error.strerror}", hint="--out names another file"
            ) from error
        with replacing(path) as file:
            file.write(text.encode())


def _naming(loaded: ServeConfig, suite: str, model: str) -> list[_Naming]:
    """The contracts that name the suite and sell the model, all under the name that the first one's catalogue has."""
    found = {}
    now = datetime.now(UTC)
    for each in loaded.settings.contracts:
        file = loaded.path(each.file)
        opened = open_contract(file, catalogs=[loaded.path(name) for name in each.catalogs])
        suites = tuple(one for one in suites_of(opened.contract, now) if one.suite == suite)
        signed_with = opened.contract.signed.vendor
        vendor = loaded.settings.vendors.get(each.vendor or signed_with)
        if not suites or vendor is None:
            continue
        with contextlib.suppress(CatalogError):
            named = opened.catalog.resolve(model, vendor.prices or signed_with, vendor.access).id
            found[file] = _Naming(file, opened.contract.signed.contract, named, suites)
    return [each for each in found.values() if each.model == next(iter(found.values())).model]


def _file_name(model: str) -> str:
    return model.replace("/", "-")


def read_suite(path: Path) -> list[Task]:
    """The tasks of a file. InputError (L727) with the task that is wrong."""
    try:
        text = path.read_text("utf-8-sig")
        rows: Any = list(csv.DictReader(io.StringIO(text))) if path.suffix == ".csv" else read_yaml(text, str(path))[0]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError("L727", f"{path} cannot be read: {error}") from error
    if not isinstance(rows, list) or not rows:
        raise InputError("L727", f"{path} holds no tasks", hint="a CSV or YAML list of prompt and expected or matches")
    return [_task(row, f"{path}, task {number}") for number, row in enumerate(rows, 1)]


def _task(row: object, where: str) -> Task:
    fields: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
    prompt, expected, matches = (str(fields.get(name) or "") for name in ("prompt", "expected", "matches"))
    if not prompt or bool(expected) == bool(matches):
        raise InputError("L727", f"{where}: a task has a prompt, and one of expected and matches")
    try:
        return Task(prompt, re.compile(matches or re.escape(expected), re.IGNORECASE))
    except re.error as error:
        raise InputError("L727", f"{where}: no regular expression: {error}") from error


def _answer(base: str, key: str, model: str, prompt: str, tokens_max: int) -> str:
    """The text of the model's answer."""
    asked = {
        "model": model, "messages": [{"role": "user", "content": prompt}], "max_completion_tokens": tokens_max,
    }  # fmt: skip
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{base}/v1/chat/completions", json.dumps(asked).encode(), headers)
    said = ""
    for number in range(TRIES):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                return str(json.load(response)["choices"][0]["message"].get("content") or "")
        except urllib.error.HTTPError as error:
            with error:
                said = f"{error.code} {error.read(400).decode(errors='replace')}"
            if error.code not in AGAIN:
                break
        except (OSError, ValueError, LookupError) as error:
            said = str(error)
        time.sleep(2**number / 2)
    hint = "does the gateway run?"
    if "G331" in said:
        hint = f"{KEY} is for a key whose workload no suite decides for, such as --workload acceptance"
    raise OutsideError("G710", "a task has no answer, so nothing is signed", why=said, hint=hint)

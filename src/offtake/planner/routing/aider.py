"""Reads the leaderboard files of Aider (polyglot): a YAML list of runs, one mapping each.

A run passes what it solved in its second try (`pass_num_2`). Of `total_tests`, those that were never run are not passed
and cost nothing: the score counts `total_tests`, the cost per task `test_cases`. Tokens are of the whole run; what of
them was read from a cache is not said. A list that has a rate and no numbers (`pass_rate_2`) is read by the rate.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from offtake.planner.routing.evaluation import Evaluation
from offtake.planner.routing.noticed import Noticed
from offtake.usage.rows import TextSource
from offtake.values.errors import ContractError, InputError, Place
from offtake.values.yaml_text import read_yaml

_MODEL_FLAG = re.compile(r"--model[= ](\S+)")
_TOKENS = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}


def read_aider(source: TextSource, suite: str, noticed: Noticed) -> list[Evaluation]:
    """The runs of a leaderboard. InputError where it is no YAML list of runs."""
    try:
        rows, places = read_yaml("".join(source.lines), source.file)
    except ContractError as error:
        first = error.findings[0]
        raise InputError("P630", first.what, where=first.where, why=first.why, hint="give the file as it is") from error
    if not isinstance(rows, list):
        raise InputError("P630", "no list of runs", where=Place(source.file), hint="each run begins with `- dirname:`")
    found: list[Evaluation] = []
    for index, row in enumerate(rows):
        where = places.get(f"[{index}]", Place(source.file))
        if isinstance(row, dict) and row.get("model"):
            run = _run(row, places.get(f"[{index}].model", where), suite, noticed)
            found += [run] if run else []
        else:
            noticed.error("P631", "a run without a model", where, hint="each run has `model`")
    return _told_apart(found, rows)


def _run(row: Mapping[str, Any], where: Place, suite: str, noticed: Noticed) -> Evaluation | None:
    model = str(row["model"])
    ran = noticed.tasks(row.get("test_cases"), where)
    tasks = noticed.tasks(row.get("total_tests") or row.get("test_cases"), where)
    if ran is None or tasks is None:
        return None
    score = _score(row, tasks, where, noticed)
    if score is None:
        return None
    tokens = noticed.tokens({meter: row.get(key) for meter, key in _TOKENS.items()}, where)
    # An architect and its editor are two models whose tokens stand in one sum: no price book has the pair.
    named = None if row.get("editor_model") else _MODEL_FLAG.search(str(row.get("command", "")))
    return Evaluation(
        suite=suite, model=model, tasks=tasks, score=score, where=where,
        cost=noticed.cost(row.get("total_cost"), where, model), costed=ran, tokens=tokens,
        on=noticed.day(row.get("date"), where), priced_as=named[1] if named else model,
    )  # fmt: skip


def _score(row: Mapping[str, Any], tasks: int, where: Place, noticed: Noticed) -> Fraction | None:
    if row.get("pass_num_2") is not None:
        return noticed.passes(row["pass_num_2"], tasks, where)
    return noticed.score(row.get("pass_rate_2"), where, percent=True)


def _told_apart(runs: list[Evaluation], rows: list[Any]) -> list[Evaluation]:
    """Runs of one model in two edit formats carry the format in their name."""
    formats = [row.get("edit_format") for row in rows if isinstance(row, dict)]
    several = Counter(run.model for run in runs)
    if len(formats) != len(runs):
        return runs
    return [
        replace(run, settings=str(form)) if several[run.model] > 1 and form else run
        for run, form in zip(runs, formats, strict=True)
    ]

"""Reads result files of promptfoo (`promptfoo eval --output results.json`): one run for each provider and prompt.

A result passes where `success` is true: the assertions decided it, with the thresholds of the configuration. One that
ended in an error is not passed. Costs are by result; an answer that came out of promptfoo's own cache cost nothing to
fetch, which says nothing of its cost in production, so it counts for the score only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.planner.routing.evaluation import Evaluation, Item, of_items
from offtake.planner.routing.noticed import Noticed
from offtake.usage.documents import json_items
from offtake.usage.fields import text
from offtake.usage.rows import Rejected, Row, TextSource

ERRORED = 2  # promptfoo's failureReason: 0 none, 1 an assertion, 2 an error


def read_promptfoo(source: TextSource, suite: str, noticed: Noticed) -> list[Evaluation]:
    """The runs of a result file, each result with its line."""
    rows = []
    for row in json_items(source, (("results", "results"),)):
        if isinstance(row, Rejected):
            noticed.error("P630", row.error, row.where)
        else:
            rows.append(row)
    prompts = {_prompt(row) for row in rows}
    runs: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        runs.setdefault((_provider(row), _prompt(row) if len(prompts) > 1 else ""), []).append(row)
    return [run for key, found in runs.items() if (run := _run(key, found, suite, noticed))]


def _run(key: tuple[str, str], rows: list[Row], suite: str, noticed: Noticed) -> Evaluation | None:
    items: dict[str, Item] = {}
    errors = cached = 0
    model, settings = key
    for number, row in enumerate(rows):
        values = row.values
        id = text(values.get("testIdx")) or str(number)
        if id in items:
            noticed.error("P633", f"{model} has the test {id} twice, first at {items[id].where}", row.where)
            continue
        errored = values.get("failureReason") == ERRORED
        from_cache = bool(_mapping(values, "response").get("cached"))
        score = noticed.score(values.get("success", False), row.where)
        given = None if errored or from_cache else values.get("cost")
        errors, cached = errors + errored, cached + from_cache
        if score is not None:
            tokens = {} if errored or from_cache else _tokens(row, noticed)
            cost = noticed.cost(given, row.where, f"{model}, test {id}", of_item=True)
            items[id] = Item(id=id, score=score, where=row.where, cost=cost, tokens=tokens)
    if not items:
        return None
    where = rows[0].where
    if errors:
        noticed.warning(
            "P639", f"{model}: {errors:,} of {len(rows):,} tests ended in an error, counted as failed", where
        )
    if cached:
        hint = "promptfoo eval --no-cache costs every answer"
        what = f"{model}: {cached:,} of {len(rows):,} answers came from promptfoo's cache; their cost is not counted"
        noticed.warning("P634", what, where, hint=hint)
    else:
        noticed.partly_costed(model, list(items.values()))
    document, results = rows[0].parents[0], rows[0].parents[1]
    named = text(_mapping(document, "config").get("description")) or suite
    priced_as = text(_mapping(rows[0].values, "provider").get("id")) or model
    return of_items(
        list(items.values()), suite=named, model=model, settings=settings,
        priced_as="/".join(part for part in priced_as.split(":") if part not in ("chat", "messages", "responses")),
        on=noticed.day(results.get("timestamp"), where),
    )  # fmt: skip


def _tokens(row: Row, noticed: Noticed) -> dict[str, int]:
    used = _mapping(row.values, "tokenUsage")
    return noticed.tokens({"input_tokens": used.get("prompt"), "output_tokens": used.get("completion")}, row.where)


def _provider(row: Row) -> str:
    given = row.values.get("provider")
    if isinstance(given, dict):
        return text(given.get("label")) or text(given.get("id"))
    return text(given)


def _prompt(row: Row) -> str:
    prompt = row.values.get("prompt")
    label = text(prompt.get("label")) if isinstance(prompt, dict) else ""
    return label.splitlines()[0][:40] if label else f"prompt {text(row.values.get('promptIdx')) or 0}"


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}

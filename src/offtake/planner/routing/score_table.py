"""Reads a plain CSV of results: one row a model, or one row a task.

    a row a model   model, score (or passes), n, cost                 cost is what the n tasks cost in all
    a row a task    model, item, score (true, pass or 0 to 1), cost   `epoch` too, where a task was tried several times

Both may have suite, settings (how the model was run), date, priced_as (its name in price books) and token counts under
the names of our meters: input_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, output_tokens.
`score_percent` is a score of 0 to 100.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from offtake.planner.routing.evaluation import Evaluation, Item, of_items
from offtake.planner.routing.noticed import Noticed
from offtake.usage.fields import text
from offtake.usage.rows import Rejected, Row, TextSource, csv_rows
from offtake.values.errors import InputError, Place


def read_score_table(source: TextSource, suite: str, noticed: Noticed) -> list[Evaluation]:
    """The runs of a CSV. InputError where its columns do not say who scored what on how many tasks."""
    rows = _rows(source, noticed)
    first = next(rows, None)
    if first is None:
        raise InputError("P630", "no results in this file", where=Place(source.file), hint="one row a model, or a task")
    _check(first.values, source.file)
    named = (row for row in chain([first], rows) if _has_model(row, noticed))
    return _by_item(named, suite, noticed) if "item" in first.values else _by_model(named, suite, noticed)


def _rows(source: TextSource, noticed: Noticed) -> Iterator[Row]:
    for row in csv_rows(source):
        if isinstance(row, Rejected):
            noticed.error("P630", row.error, row.where)
        else:
            yield row


def _check(columns: Mapping[str, Any], file: str) -> None:
    scores = [name for name in ("score", "score_percent", "passes") if name in columns]
    missing = [] if "model" in columns else ["model"]
    missing += [] if scores else ["score"]
    missing += [] if "n" in columns or "item" in columns else ["n (tasks of a model) or item (a row a task)"]
    if not missing and len(scores) == 1:
        return
    what = f"no column {', '.join(missing)}" if missing else f"{' and '.join(scores)} say one thing twice"
    raise InputError(
        "P630", what, where=Place(file, 1), why=f"the columns are {', '.join(columns)}",
        hint="model,score,n,cost with a row a model; model,item,score,cost with a row a task",
    )  # fmt: skip


def _has_model(row: Row, noticed: Noticed) -> bool:
    if not text(row.values["model"]):
        noticed.error("P631", "a row without a model", row.where, hint="name the model in each row")
    return bool(text(row.values["model"]))


def _by_model(rows: Iterable[Row], suite: str, noticed: Noticed) -> list[Evaluation]:
    found = []
    for row in rows:
        values, where, model = row.values, row.where, text(row.values["model"])
        tasks = noticed.tasks(values["n"], where)
        if tasks is None:
            continue
        if "passes" in values:
            score = noticed.passes(values["passes"], tasks, where)
        else:
            percent = "score_percent" in values
            score = noticed.score(values["score_percent" if percent else "score"], where, percent=percent)
        cost = noticed.cost(values.get("cost"), where, model)
        if score is not None:
            found.append(
                Evaluation(
                    suite=text(values.get("suite")) or suite, model=model, settings=text(values.get("settings")),
                    tasks=tasks, score=score, where=where, cost=cost, costed=tasks,
                    tokens=noticed.tokens(values, where), on=noticed.day(values.get("date"), where),
                    priced_as=text(values.get("priced_as")) or model,
                )
            )  # fmt: skip
    return found


def _by_item(rows: Iterable[Row], suite: str, noticed: Noticed) -> list[Evaluation]:
    items: dict[tuple[str, str, str], list[Item]] = {}
    facts: dict[tuple[str, str, str], dict[str, Any]] = {}
    seen: dict[tuple[str, ...], Place] = {}
    for row in rows:
        values, where = row.values, row.where
        run = (text(values.get("suite")) or suite, text(values["model"]), text(values.get("settings")))
        id = text(values["item"])
        tried = (*run, id, text(values.get("epoch")))
        if not id:
            noticed.error("P631", "a row without an item", where, hint="name the task in each row")
            continue
        if tried in seen:
            hint = "a column epoch (1, 2, …) says that the task was tried again"
            noticed.error("P633", f"{run[1]} has the item {id!r} twice, first at {seen[tried]}", where, hint=hint)
            continue
        seen[tried] = where
        percent = "score_percent" in values
        given = values.get("score_percent" if percent else "score", values.get("passes"))
        score = noticed.score(given, where, percent=percent)
        cost = noticed.cost(values.get("cost"), where, f"{run[1]}, item {id}", of_item=True)
        if score is not None:
            item = Item(id=id, score=score, where=where, cost=cost, tokens=noticed.tokens(values, where))
            items.setdefault(run, []).append(item)
            if run not in facts:
                facts[run] = {
                    "settings": run[2],
                    "on": noticed.day(values.get("date"), where),
                    "priced_as": text(values.get("priced_as")) or run[1],
                }
    for run, found in items.items():
        noticed.partly_costed(run[1], found)
    return [of_items(found, suite=run[0], model=run[1], **facts[run]) for run, found in items.items()]

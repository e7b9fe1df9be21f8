"""Reads log files of inspect-ai in their JSON form (`--log-format json`, or `inspect log dump`): one run a file.

The score of a sample is the value of its scorer: C, P, I, N (correct 1, partly ½, else 0), true or false, or a number
from 0 to 1. Epochs of a sample are averaged. A sample that ended in an error, or that nobody scored, is not passed.
Cost and tokens are those of the evaluated model in `stats.model_usage`: the grader's are left out, because it does not
run in production. Its `input_tokens` leave out what was read from and written to the cache.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from offtake.planner.routing.evaluation import Evaluation, Item, of_items
from offtake.planner.routing.noticed import Noticed
from offtake.usage.fields import text
from offtake.values.counting import counted
from offtake.values.errors import Place

_TOKENS = {
    "input_tokens": "input_tokens",
    "cache_read_tokens": "input_tokens_cache_read",
    "cache_write_5m_tokens": "input_tokens_cache_write",
    "output_tokens": "output_tokens",
}
_NUMBER_METRICS = ("accuracy", "mean")


def read_inspect_log(
    document: Mapping[str, Any], where: Place, scorer: str | None, noticed: Noticed
) -> list[Evaluation]:
    """The run of one log; none, with an error noticed, where it did not finish or its score cannot be told."""
    head, results = _mapping(document, "eval"), _mapping(document, "results")
    status = text(document.get("status"))
    if status != "success":
        hint = "let it finish (inspect eval-retry), or leave the file out"
        noticed.error("P639", f"the run ended as {status or 'nothing'}, and not as success", where, hint=hint)
        return []
    model = text(head.get("model"))
    usage = _mapping(_mapping(document, "stats"), "model_usage").get(model, {})
    facts: dict[str, Any] = {
        "suite": text(head.get("task")), "model": model, "where": where, "priced_as": model,
        "on": noticed.day(head.get("created"), where), "cost": noticed.cost(usage.get("total_cost"), where, model),
        "tokens": noticed.tokens({meter: usage.get(key) for meter, key in _TOKENS.items()}, where),
    }  # fmt: skip
    samples = document.get("samples")
    if samples:
        return _of_samples(samples, facts, scorer, noticed)
    return _of_header(head, results, facts, scorer, noticed)


def _of_samples(samples: list[Any], facts: dict[str, Any], scorer: str | None, noticed: Noticed) -> list[Evaluation]:
    where: Place = facts["where"]
    names = list(dict.fromkeys(name for sample in samples for name in sample.get("scores") or {}))
    chosen = _scorer(names, scorer, where, noticed)
    if chosen is None:
        return []
    items, unscored = [], 0
    for sample in samples:
        given = (sample.get("scores") or {}).get(chosen, {}).get("value")
        if given is None or sample.get("error"):
            unscored += 1
            score: Fraction | None = Fraction(0)
        elif isinstance(given, (dict, list)):
            hint = "score each sample with one value, or name another with --scorer"
            noticed.error("P637", f"the scorer {chosen} gives several values a sample", where, hint=hint)
            return []
        else:
            score = noticed.score(given, where)
        if score is None:
            return []
        items.append(Item(id=str(sample.get("id")), score=score, where=where))
    if unscored:
        noticed.warning("P639", f"{_tasks(unscored)} without a score, counted as failed", where)
    run = of_items(items, suite=facts["suite"], model=facts["model"])
    return [_with_cost(run, facts, len(items))]


def _of_header(
    head: Mapping[str, Any], results: Mapping[str, Any], facts: dict[str, Any], scorer: str | None, noticed: Noticed
) -> list[Evaluation]:
    """A log without its samples: the metric over all of them."""
    where: Place = facts["where"]
    scores = {text(each.get("name")): each for each in results.get("scores") or []}
    chosen = _scorer(list(scores), scorer, where, noticed)
    epochs = _mapping(head, "config").get("epochs") or 1
    ran = noticed.tasks(results.get("total_samples"), where)
    if chosen is None or ran is None:
        return []
    metrics = _mapping(scores[chosen], "metrics")
    metric = next((metrics[name] for name in _NUMBER_METRICS if name in metrics), None)
    if metric is None:
        hint = "give the log with its samples"
        noticed.error("P637", f"the scorer {chosen} has neither accuracy nor mean", where, hint=hint)
        return []
    score = noticed.score(metric.get("value"), where)
    if score is None:
        return []
    run = Evaluation(
        suite=facts["suite"], model=facts["model"], tasks=max(1, ran // int(epochs)), score=score, where=where
    )
    return [_with_cost(run, facts, ran)]


def _with_cost(run: Evaluation, facts: dict[str, Any], attempts: int) -> Evaluation:
    return Evaluation(**{**facts, "tasks": run.tasks, "score": run.score, "costed": attempts})


def _scorer(names: list[str], wanted: str | None, where: Place, noticed: Noticed) -> str | None:
    if wanted in names or (wanted is None and len(names) == 1):
        return wanted or names[0]
    known = ", ".join(names) or "none"
    what = f"no scorer {wanted!r} in this log" if wanted else "which scorer decides is not said"
    hint = f"--scorer {names[0]}" if names else "score the log first: inspect score"
    noticed.error("P637", what, where, why=f"its scorers: {known}", hint=hint)
    return None


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, dict) else {}


def _tasks(count: int) -> str:
    return counted(count, "sample")

"""Reads evaluation results of any kind that is recognised by what stands in the file, never by its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from offtake.planner.routing.aider import read_aider
from offtake.planner.routing.evaluation import Evaluation, Reading
from offtake.planner.routing.inspect_log import read_inspect_log
from offtake.planner.routing.noticed import Noticed
from offtake.planner.routing.promptfoo import read_promptfoo
from offtake.planner.routing.score_table import read_score_table
from offtake.usage.rows import DECODER, TextSource
from offtake.values.errors import InputError, Place

KINDS = "a plain CSV, an Aider leaderboard (YAML), an inspect-ai log (JSON), promptfoo results (JSON)"


def read_evaluations(sources: Iterable[tuple[TextSource, str]], scorer: str | None = None) -> Reading:
    """The runs of several files; each comes with the suite that it is where it names none.

    Findings have every problem with its place. InputError for a file that is none of the kinds.
    """
    noticed = Noticed()
    runs: list[Evaluation] = []
    for source, suite in sources:
        text = "".join(source.lines)
        runs += _read(TextSource(source.file, [text]), text, suite, scorer, noticed)
    _refuse_repeats(runs, noticed)
    return Reading(tuple(runs), tuple(noticed.findings))


def _read(source: TextSource, text: str, suite: str, scorer: str | None, noticed: Noticed) -> list[Evaluation]:
    where, start = Place(source.file), text.lstrip("\ufeff \t\r\n")
    if not start:
        raise InputError("P630", "the file is empty", where=where, hint=f"give {KINDS}")
    if start[0] in "{[":
        return _read_json(source, start, suite, scorer, noticed)
    if start.startswith(("- ", "-\n", "---", "#")):
        return read_aider(source, suite, noticed)
    return read_score_table(TextSource(source.file, text.splitlines(keepends=True)), suite, noticed)


def _read_json(source: TextSource, text: str, suite: str, scorer: str | None, noticed: Noticed) -> list[Evaluation]:
    where = Place(source.file)
    try:
        document = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InputError(
            "P630", f"not JSON: {getattr(error, 'msg', error)}", where=Place(source.file, line),
            hint="fetch the file again; a run that is still going has none yet",
        ) from error  # fmt: skip
    if not isinstance(document, dict):
        document = {}
    if isinstance(document.get("eval"), dict) and "status" in document:
        found = read_inspect_log(document, where, scorer, noticed)
        return [run if run.suite else replace(run, suite=suite) for run in found]
    results = document.get("results")
    if isinstance(results, dict) and isinstance(results.get("results"), list):
        return read_promptfoo(source, suite, noticed)
    raise InputError(
        "P630", "no evaluation results in this JSON", where=where,
        why=f"its keys are {', '.join(list(document)[:8]) or 'none'}", hint=f"give {KINDS}",
    )  # fmt: skip


def _refuse_repeats(runs: Iterable[Evaluation], noticed: Noticed) -> None:
    """Of two runs of one model on one suite nobody said which counts; the better one would be luck."""
    seen: dict[tuple[str, str], Evaluation] = {}
    for run in runs:
        first = seen.setdefault((run.suite, run.name), run)
        if first is not run:
            noticed.error(
                "P633", f"{run.name} has two runs of {run.suite}, the first at {first.where}", run.where,
                why="to take the better one would take luck for quality",
                hint="keep one, or say how they differ in a column `settings`; tries of the same tasks are epochs",
            )  # fmt: skip

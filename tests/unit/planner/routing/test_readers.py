"""The readers: each format's score, cost and tokens, and every mistake with its place."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from offtake.values.errors import InputError
from tests.unit.planner.routing.made import read, said

EVALS = Path(__file__).parents[3] / "fixtures" / "evals"

AIDER = """\
- dirname: one
  test_cases: 224
  model: GPT 5 (low)
  edit_format: diff
  pass_num_2: 180
  total_tests: 225
  command: aider --model openai/gpt-5
  date: 2025-08-25
  total_cost: 10.3713
  prompt_tokens: 2534059
  completion_tokens: 779568

- dirname: two
  test_cases: 225
  model: Free
  edit_format: whole
  pass_num_2: 100
  total_tests: 225
  total_cost: 0 # incorrect: 6.3174
"""


def test_a_leaderboard_of_aider() -> None:
    found = read(AIDER, "aider.yml")
    first, second = found.evaluations

    assert ("GPT 5 (low)", 225, Fraction(180, 225), Decimal("10.3713"), 224) == (
        first.name, first.tasks, first.score, first.cost, first.costed,
    )  # fmt: skip
    assert {"input_tokens": 2534059, "output_tokens": 779568} == first.tokens
    assert ("openai/gpt-5", date(2025, 8, 25), "aider") == (first.priced_as, first.on, first.suite)
    assert second.cost is None
    assert [("P634", "warning", "aider.yml:15:3")] == said(found)


def test_two_edit_formats_of_one_model_are_two_runs() -> None:
    found = read(AIDER.replace("Free", "GPT 5 (low)"), "aider.yml")

    assert ["GPT 5 (low) (diff)", "GPT 5 (low) (whole)"] == [each.name for each in found.evaluations]


def test_an_architect_and_its_editor_are_priced_as_neither() -> None:
    found = read(AIDER.replace("  date: 2025-08-25\n", "  editor_model: gpt-4.1\n"), "aider.yml")

    assert "GPT 5 (low)" == found.evaluations[0].priced_as


def test_an_older_leaderboard_has_rates_only() -> None:
    found = read(AIDER.replace("pass_num_2: 180", "pass_rate_2: 80.4"), "aider.yml")

    assert Fraction("0.804") == found.evaluations[0].score


def test_a_table_of_models() -> None:
    found = read("model,score,n,cost\na,70.2%,225,$0.8756\nb,0.813,225,\nc,1,225,10.3713\n")

    assert [Fraction("0.702"), Fraction("0.813"), Fraction(1)] == [each.score for each in found.evaluations]
    assert [Decimal("0.8756"), None, Decimal("10.3713")] == [each.cost for each in found.evaluations]
    assert [] == said(found)


def test_a_table_of_tasks_averages_epochs_and_counts_tasks_once() -> None:
    found = read(
        "model,item,epoch,score,cost,output_tokens\n"
        "a,1,1,true,0.01,10\na,1,2,false,0.01,10\na,2,1,1,0.01,10\na,2,2,0.5,0.01,10\n"
    )
    run = found.evaluations[0]

    assert (2, Fraction(5, 8), Decimal("0.04"), 4) == (run.tasks, run.score, run.cost, run.costed)
    assert Fraction(1, 100) == run.cost_per_task
    assert {"output_tokens": 40} == run.tokens


def test_a_task_without_a_cost_counts_for_the_score_only() -> None:
    found = read("model,item,score,cost\na,1,pass,0.02\na,2,fail,\na,3,pass,0.04\n")
    run = found.evaluations[0]

    assert (3, Fraction(2, 3), 2, Fraction(3, 100)) == (run.tasks, run.score, run.costed, run.cost_per_task)
    assert [("P634", "warning", "evals.csv:2")] == said(found)


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("a,0.7,0,1", "P632"),
        ("a,0.7,-3,1", "P632"),
        ("a,0.7,many,1", "P632"),
        ("a,70.2,225,1", "P631"),
        ("a,-0.1,225,1", "P631"),
        ("a,good,225,1", "P631"),
        ("a,0.7,225,-1", "P634"),
        ("a,0.7,225,dear", "P634"),
        (",0.7,225,1", "P631"),
        ("ok,0.9,225,1", "P633"),
        ("a,0.7,225", "P630"),
    ],
)
def test_a_bad_row_is_an_error_with_its_line(row: str, code: str) -> None:
    found = read(f"model,score,n,cost\nok,0.8,225,2\n{row}\n")

    assert [(code, "error", "evals.csv:3")] == said(found)


def test_all_problems_of_a_file_are_told_at_once() -> None:
    found = read("model,score,n,cost\na,70,225,1\nb,0.7,0,1\nc,0.7,225,-1\n")

    assert ["evals.csv:2", "evals.csv:3", "evals.csv:4"] == [where for _, _, where in said(found)]


def test_more_passes_than_tasks_are_refused() -> None:
    assert [("P632", "error", "evals.csv:2")] == said(read("model,passes,n,cost\na,226,225,1\n"))


def test_an_item_that_stands_twice_is_refused() -> None:
    assert [("P633", "error", "evals.csv:3")] == said(read("model,item,score,cost\na,1,1,1\na,1,0,1\n"))


def test_a_cost_of_zero_is_not_known() -> None:
    found = read("model,score,n,cost\na,0.7,225,0\n")

    assert found.evaluations[0].cost is None
    assert [("P634", "warning", "evals.csv:2")] == said(found)


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("", "evals.csv"),
        ("model,score,cost\na,0.7,1\n", "evals.csv"),
        ("score,n\n0.7,3\n", "evals.csv"),
        ("model,score,passes,n\na,0.7,3,4\n", "evals.csv"),
        ("model,score,n,cost\n", "evals.csv"),
        ('{"results": {}}', "results.json"),
        ('{"results": {"results": [', "results.json"),
        ("- just\n- words: [", "aider.yml"),
    ],
)
def test_what_is_no_evaluation_is_refused_with_a_hint(text: str, file: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text, file)

    assert "P630" == caught.value.code
    assert str(caught.value).startswith(file)
    assert "hint:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "tasks", "score", "cost", "attempts"),
    [("small", 10, Fraction(6, 10), "0.00127", 10), ("large", 10, Fraction(9, 10), "0.0168", 20)],
)
def test_a_log_of_inspect(name: str, tasks: int, score: Fraction, cost: str, attempts: int) -> None:
    found = read((EVALS / f"inspect_{name}.json").read_text(), "log.json")
    run = found.evaluations[0]

    assert ("capitals", tasks, score) == (run.suite, run.tasks, run.score)
    assert (Decimal(cost), attempts) == (run.cost, run.costed)  # of the model, not of its grader; epochs each cost
    assert {"input_tokens": 100, "cache_read_tokens": 30, "output_tokens": 20} == {
        meter: quantity // attempts for meter, quantity in run.tokens.items()
    }
    assert date(2026, 11, 21) == run.on


def test_a_log_of_inspect_without_its_samples_gives_the_metric() -> None:
    document = json.loads((EVALS / "inspect_large.json").read_text())
    del document["samples"]
    run = read(json.dumps(document), "log.json").evaluations[0]

    assert (10, Fraction(9, 10), 20) == (run.tasks, run.score, run.costed)


def test_an_inspect_run_that_did_not_finish_is_refused() -> None:
    document = json.loads((EVALS / "inspect_small.json").read_text()) | {"status": "error"}

    assert [("P639", "error", "log.json")] == said(read(json.dumps(document), "log.json"))


def test_a_sample_that_nobody_scored_has_failed() -> None:
    document = json.loads((EVALS / "inspect_small.json").read_text())
    document["samples"][0]["scores"] = {}
    document["samples"][1]["error"] = {"message": "timeout"}
    found = read(json.dumps(document), "log.json")

    assert Fraction(4, 10) == found.evaluations[0].score
    assert [("P639", "warning", "log.json")] == said(found)


def test_of_two_scorers_one_must_be_named() -> None:
    document = json.loads((EVALS / "inspect_small.json").read_text())
    for sample in document["samples"]:
        sample["scores"]["grade"] = {"value": 0.25}
    text = json.dumps(document)

    assert [("P637", "error", "log.json")] == said(read(text, "log.json"))
    assert Fraction(1, 4) == read(text, "log.json", scorer="grade").evaluations[0].score


def test_results_of_promptfoo() -> None:
    found = read((EVALS / "promptfoo.json").read_text(), "results.json")
    first, second = found.evaluations

    assert ("support bot", "openai:chat:gpt-5.4", 10, Fraction(9, 10)) == (
        first.suite, first.name, first.tasks, first.score,
    )  # fmt: skip
    assert (Decimal("0.0210"), 10, "openai/gpt-5.4", date(2026, 10, 1)) == (
        first.cost, first.costed, first.priced_as, first.on,
    )  # fmt: skip
    # Of ten tests one came out of the cache and one ended in an error: eight have a cost.
    assert (Fraction(7, 10), Decimal("0.0032"), 8) == (second.score, second.cost, second.costed)
    assert ["P639", "P634"] == [code for code, _, _ in said(found)]


def test_prompts_of_promptfoo_are_told_apart() -> None:
    document = json.loads((EVALS / "promptfoo.json").read_text())
    for row in document["results"]["results"][:5]:
        row["prompt"]["label"] = "short"
        row["promptIdx"] = 1
    found = read(json.dumps(document), "results.json")

    assert "openai:chat:gpt-5.4 (short)" == found.evaluations[0].name

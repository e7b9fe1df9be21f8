"""`offtake deployment`: the answer, the JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

CONTRACTS = Path(__file__).parents[2] / "contracts"
PRIVATE = ("--contract", CONTRACTS / "private-deployment" / "contract.yaml")
RUNNING = ("--hardware", "6k", "--operations", "20k", "--throughput", "1_000", "--at", "2026-06-01")
OPUS = ("--model", "claude-opus-4.7")


def test_the_answer_comes_first(offtake: Offtake) -> None:
    done = offtake("deployment", *PRIVATE, *RUNNING, *OPUS, "--volume", "3B")
    lines = done.out.splitlines()

    assert 0 == done.code
    assert (
        "1 model (claude-opus-4.7): a private deployment pays from 4,766.7 M tokens a month (45.4% full) on"
    ) == lines[0]
    assert "$95,333.33 a month: licence and platform $33,333.33, 7 instances $42,000.00" in lines[1]
    assert "Peaks are not known" in lines[2]
    assert "yours, 28.5%" in done.out


def test_peaks_can_turn_the_answer(offtake: Offtake) -> None:
    done = offtake("deployment", *PRIVATE, *RUNNING, *OPUS, "--peak-to-mean", "3")

    assert "a private deployment does not pay: it would take 4,766.7 M tokens a month" in done.out
    assert "Peaks leave 33.3% of that." in done.out


def test_the_json(offtake: Offtake) -> None:
    done = offtake("deployment", *PRIVATE, *RUNNING, *OPUS, "--utilisation", "50%", "--format", "json")
    document = json.loads(done.out)
    (one,) = document["models_needed"]

    assert {"paid": 7, "serving": 4} == document["instances"]
    assert {"tokens": 4_766_666_500, "utilisation": "0.4535"} == one["break_even"]
    assert ("95333.33", None, True) == (one["monthly"]["total"], one["volume"], one["pays"])
    assert ["9786.67"] == [each["saving"] for each in one["utilisations"]]


def test_the_csv_has_a_row_a_point(offtake: Offtake) -> None:
    done = offtake("deployment", *PRIVATE, *RUNNING, *OPUS, "--format", "csv")

    assert 6 == len(done.out.splitlines())
    assert done.out.startswith("models,utilisation,tokens,private,per_token,saving")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((*PRIVATE, *OPUS), 2, "Missing option '--hardware'"),
        ((*PRIVATE, *RUNNING), 2, "Missing option '--model'"),
        ((*PRIVATE, *RUNNING, *OPUS, "--peak-to-mean", "0.5"), 2, "not below the mean"),
        ((*PRIVATE, *RUNNING, *OPUS, "--hardware", "-3"), 2, "no amount above zero"),
        ((*PRIVATE, *RUNNING, *OPUS, "--throughput", "0"), 2, "no number above zero"),
        ((*PRIVATE, *RUNNING, "--model", "nonsense"), 3, "error[K301]"),
        (("--contract", CONTRACTS / "mid-size" / "contract.yaml", *RUNNING, *OPUS), 3, "error[P606]"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], code: int, words: str, offtake: Offtake) -> None:
    done = offtake("deployment", *arguments)

    assert (code, "") == (done.code, done.out)
    assert words in done.err

"""`offtake demo`: the overbilled dollars come first, and every claim has its clause."""

from __future__ import annotations

from pathlib import Path

from offtake.operations.demo.run import Demo
from tests.faces.conftest import Offtake


def test_the_answer_comes_first_and_the_readme_shows_it(offtake: Offtake, tmp_path: Path) -> None:
    done = offtake("demo", "--out", tmp_path / "demo")
    lines = done.out.splitlines()
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    shown = readme.partition("$ make demo\n")[2].partition("\n…\n```")[0].splitlines()

    assert 0 == done.code
    assert "Overbilled $7,603.78: 5 claims, each with its clause and evidence" == lines[0]
    assert "  $3,472.42  claude-opus-4-5: billed at list price: the discount is missing" == lines[3]
    assert "             order_form §2.1 · prices.discounts[0] · 20 Jan to 31 Jan 2026" == lines[4]
    assert len(shown) > 20
    assert shown == [line.rstrip() for line in lines[: len(shown)]]
    for part in (
        "Commitment spend", "The same tokens in each configuration", "One line explained", "Files",
        "The next year: Sign start at $600,000.00, route all to start (1 moved to batch): saves $115,701.35 a year",
        "commitments[0].amount = 900_000 USD / year",
    ):  # fmt: skip
        assert part in done.out
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert {"bill.csv", "contract.yaml", "offer.yaml", "report.html", "usage.csv"} == names


def test_what_it_leaves_answers_the_ordinary_command_alike(offtake: Offtake, demo: Demo) -> None:
    usage, bill, contract = (demo.folder / name for name in ("usage.csv", "bill.csv", "contract.yaml"))
    done = offtake("compare", usage, "--invoice", bill, "--contract", contract)

    assert 1 == done.code
    assert "$7,603.78" in done.out.splitlines()[0]


def test_published_traces_are_rated_where_they_are_given(offtake: Offtake, tmp_path: Path) -> None:
    traces = tmp_path / "traces"
    traces.mkdir()
    (traces / "azure_2023_conv.csv").write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,1000000,100000\n"
    )
    done = offtake("demo", "--out", tmp_path / "demo", "--data", traces)

    # Sonnet at 6 and 22.50 a million above 200,000 tokens of context; 20% off.
    assert ["azure_2023_conv.csv", "claude-sonnet-4-5", "1", "$8.25", "$6.60"] in [
        line.split() for line in done.out.splitlines()
    ]


def test_a_file_in_the_way_is_no_folder(offtake: Offtake, tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("")

    assert 2 == offtake("demo", "--out", tmp_path / "demo").code

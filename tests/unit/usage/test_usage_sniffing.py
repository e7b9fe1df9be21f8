"""A file's kind is told by what stands in its head."""

from __future__ import annotations

import pytest

from offtake.usage.charges.reading import sniff_charges
from offtake.usage.reading import KINDS, ReadOptions, TextSource, read, sniff
from offtake.values.errors import InputError
from tests.unit.usage.reading_fixtures import FIXTURES

KIND_OF = {
    "openai_usage.json": "openai-usage",
    "anthropic_usage.json": "anthropic-usage",
    "anthropic_console.csv": "anthropic-console",
    "litellm.jsonl": "litellm",
    "litellm.csv": "litellm",
    "openrouter.csv": "openrouter",
    "openrouter_daily.csv": "openrouter",
    "ccusage_daily.json": "ccusage",
    "ccusage_session.json": "ccusage",
    "focus.csv": "focus",
    "responses.jsonl": "responses",
    "azure_trace.csv": "azure-trace",
    "mooncake.jsonl": "mooncake",
    "agent_sessions.jsonl": "agent-sessions",
    "own.csv": "csv",
    "own.jsonl": "jsonl",
}


@pytest.mark.parametrize(("file", "kind"), KIND_OF.items())
def test_each_kind_is_recognised(file: str, kind: str) -> None:
    assert kind == sniff((FIXTURES / file).read_bytes(), file)


def test_every_kind_has_a_file_and_a_reader() -> None:
    assert {kind.name for kind in KINDS} == set(KIND_OF.values())
    assert all(callable(kind.load()) for kind in KINDS)


@pytest.mark.parametrize("line", (FIXTURES / "responses.jsonl").read_text().splitlines()[:4])
def test_each_vendors_answer_is_recognised_alone(line: str) -> None:
    assert "responses" == sniff(line, "answers.jsonl")


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("openai_costs.json", "openai-costs"),
        ("anthropic_costs.json", "anthropic-costs"),
        ("anthropic_console_costs.csv", "anthropic-console-costs"),
    ],
)
def test_each_bill_is_recognised(file: str, kind: str) -> None:
    assert kind == sniff_charges((FIXTURES.parent / "charges" / file).read_bytes(), file)


def test_columns_of_a_columnar_file_are_enough() -> None:
    assert "focus" == sniff(b"PAR1", "u.parquet", columns=["BilledCost", "ChargePeriodStart", "x"])
    assert "csv" == sniff(b"PAR1", "u.parquet", columns=["used_at", "model", "input_tokens"])


@pytest.mark.parametrize("head", ["Date,Amount\n1,2\n", '{"a": 1}', "[1, 2]", "hello"])
def test_an_unknown_file_is_an_error_that_names_the_kinds(head: str) -> None:
    with pytest.raises(InputError) as caught:
        sniff(head, "some.file")

    assert "U120" == caught.value.code
    assert "openai-usage, anthropic-usage" in str(caught.value)
    assert "some.file" in str(caught.value)


@pytest.mark.parametrize("head", ["", "\ufeff\n"])
def test_an_empty_file_is_said_to_be_empty(head: str) -> None:
    with pytest.raises(InputError, match="the file is empty"):
        sniff(head, "some.file")


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        read("openai_usage", TextSource("u", []), ReadOptions())

    assert "openai-usage" in str(caught.value)

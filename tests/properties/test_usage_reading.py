"""Whatever a file holds: its tokens come out, or come out as rejected; the order of rows is of no weight."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.usage.duplicates import distinct
from offtake.usage.reading import KINDS, ReadOptions, TextSource, read
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected
from offtake.usage.usage_objects import context_of, quantities_of
from offtake.values.errors import InputError
from tests.unit.usage.reading_fixtures import FIXTURES, MARCH

counts = st.integers(0, 10**9)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "used_at": st.sampled_from(
                ["2026-03-01T00:00:00Z", "2026-03-01T01:00:00+02:00", "2026-03-01T00:00:00", ""]
            ),
            "model": st.sampled_from(["m", "n", ""]),
            "input_tokens": counts,
            "cache_read_tokens": counts,
            "output_tokens": counts,
            "outcome": st.sampled_from(["ok", "refusal", "perhaps"]),
        }
    ),
    max_size=12,
)
METERS = ("input_tokens", "cache_read_tokens", "output_tokens")
OPTIONS = ReadOptions(vendor="v", start=MARCH)
NAMED = ReadOptions(model="m", vendor="v", start=MARCH)


def read_lines(lines: list[dict[str, object]]) -> list[UsageRecord | Rejected | NotUsage]:
    source = TextSource("u", [json.dumps(line) + "\n" for line in lines] or ["{}\n"])
    return list(read("jsonl", source, OPTIONS))


def without_place(found: list[UsageRecord | Rejected | NotUsage]) -> Counter[object]:
    return Counter(
        (item.id, item.used_at, item.outcome, tuple(sorted(item.quantities.items())))
        if isinstance(item, UsageRecord)
        else getattr(item, "raw", "")
        for item in found
    )


@given(rows)
def test_tokens_in_are_tokens_out_plus_tokens_rejected(lines: list[dict[str, object]]) -> None:
    result = distinct(read_lines(lines))

    assert (len(lines) or 1) == result.read
    for meter in METERS:
        taken = sum(record.quantities.get(meter, 0) for record in result.facts)
        refused = sum(json.loads(row.raw).get(meter, 0) for row in result.rejected)
        assert sum(int(str(line[meter])) for line in lines) == taken + refused


@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_of_no_weight(lines: list[dict[str, object]], random: Random) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)

    assert without_place(read_lines(lines)) == without_place(read_lines(shuffled))


@given(rows)
def test_a_file_read_twice_is_all_duplicates(lines: list[dict[str, object]]) -> None:
    once, twice = distinct(read_lines(lines)), distinct([*read_lines(lines), *read_lines(lines)])

    assert once.facts == twice.facts
    assert [] == twice.conflicts


@given(st.sampled_from([kind.name for kind in KINDS]), st.text(max_size=200) | st.binary(max_size=200).map(repr))
def test_no_text_breaks_a_reader(kind: str, text: str) -> None:
    options = ReadOptions(model="m", vendor="v", start=MARCH)
    try:
        found = list(read(kind, TextSource("u", text.splitlines(keepends=True)), options))
    except InputError:
        return
    assert all(isinstance(item, UsageRecord | Rejected | NotUsage) for item in found)


JSON_FILES = [
    ("openai-usage", "openai_usage.json"),
    ("anthropic-usage", "anthropic_usage.json"),
    ("ccusage", "ccusage_daily.json"),
    ("ccusage", "ccusage_session.json"),
    ("litellm", "litellm.jsonl"),
    ("responses", "responses.jsonl"),
    ("mooncake", "mooncake.jsonl"),
    ("jsonl", "own.jsonl"),
    ("agent-sessions", "agent_sessions.jsonl"),
]
WRONG: list[Any] = [None, True, -3, 10**19, float("nan"), 1.5, "", "x", [], [1], {}, {"a": []}]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**19) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def slots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place that holds a value inside, as its container and its key or index."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if key != 0 or not isinstance(value, list) or len(value) > 1:
            yield value, key
        if isinstance(inner, dict | list):
            yield from slots(inner)


@pytest.mark.parametrize(("kind", "file"), JSON_FILES)
def test_no_damaged_value_breaks_a_reader(kind: str, file: str) -> None:
    """Every value of a good file in turn replaced by each of the wrong ones."""
    text = (FIXTURES / file).read_text()
    for document in [text] if file.endswith(".json") else good_lines(text):
        for number in range(len(list(slots([json.loads(document)])))):
            for wrong in WRONG:
                value = [json.loads(document)]
                holder, key = list(slots(value))[number]
                holder[key] = wrong
                found = read(kind, TextSource("u", [json.dumps(value[0])]), NAMED)
                with suppress(InputError):
                    assert all(isinstance(item, UsageRecord | Rejected | NotUsage) for item in found)


def good_lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        with suppress(ValueError):
            yield json.dumps(json.loads(line))


@given(counts, counts, counts, counts, counts, counts)
def test_every_token_of_an_openai_answer_is_in_one_meter(
    text: int, cached: int, written: int, audio: int, answer: int, spoken: int
) -> None:
    usage = {
        "prompt_tokens": text + cached + written + audio,
        "completion_tokens": answer + spoken,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": answer, "audio_tokens": spoken},
    }
    quantities = quantities_of(usage)

    assert usage["prompt_tokens"] == context_of(quantities)
    assert usage["completion_tokens"] == quantities["output_tokens"] + quantities.get("output_audio_tokens", 0)

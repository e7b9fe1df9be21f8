"""Traces with prefix ids: what each reader gives, and what it refuses."""

from __future__ import annotations

import pytest

from offtake.usage.prefixes import agent_sessions, mooncake, own
from offtake.usage.prefixes.reading import prefix_kind
from offtake.usage.prefixes.request import PrefixRequest, joined
from offtake.usage.rows import Rejected, TextSource

MOONCAKE = '{"timestamp": 3000, "input_length": 1030, "output_length": 7, "hash_ids": [4, 5, 9]}'
SESSION = '["s1", "p/agent_003", 19.5, "claude-opus-4-6", 200, 7, 2, [[8, 1]]]'
OWN = (
    '{"at": "1970-01-01T00:00:02.5Z", "workload": "chat", "model": "m", "input_tokens": 30, "output_tokens": 7, '
    '"prefix": ["aa", "bb", "aa"], "block_tokens": 10}'
)


def only(rows: object) -> PrefixRequest:
    (found,) = list(rows)  # type: ignore[call-overload]
    assert isinstance(found, PrefixRequest), found
    return found


def test_mooncake_counts_milliseconds_and_blocks_of_512() -> None:
    found = only(mooncake.read(TextSource("t", [MOONCAKE])))

    assert (3_000_000, 1030, 512, ((4, 2), (9, 1))) == (found.at, found.input_tokens, found.block_tokens, found.runs)


def test_a_session_takes_over_blocks_and_names_its_kind_of_agent() -> None:
    found = only(agent_sessions.read(TextSource("t", [SESSION])))

    assert (19_500_000, 2, ((8, 1),)) == (found.at, found.taken_over, found.runs)
    assert ("s1", "p/agent_003", "p/agent") == (found.session, found.agent, found.workload)


def test_our_own_ids_are_any_text_and_the_same_text_is_the_same_block() -> None:
    found = only(own.read(TextSource("t", [OWN])))

    assert (2_500_000, "chat", ((0, 2), (0, 1))) == (found.at, found.workload, found.runs)


def test_runs_join_where_one_goes_on_where_the_other_ended() -> None:
    assert ((1, 5), (9, 1), (8, 2)) == joined([(1, 2), (3, 3), (9, 1), (8, 1), (9, 1)])


@pytest.mark.parametrize(
    ("reader", "row", "code"),
    [
        (mooncake, MOONCAKE.replace(", 9]", "]"), "U107"),
        (mooncake, MOONCAKE.replace("[4, 5, 9]", "null"), "U107"),
        (mooncake, MOONCAKE.replace("9]", "-9]"), "U105"),
        (mooncake, MOONCAKE.replace("3000", '"soon"'), "U130"),
        (agent_sessions, SESSION.replace("[8, 1]", "[8, 2]"), "U107"),
        (agent_sessions, SESSION.replace("[8, 1]", "[8]"), "U107"),
        (agent_sessions, SESSION.replace("19.5", "null"), "U130"),
        (agent_sessions, "[1, 2]", "U107"),
        (own, OWN.replace('"aa", "bb", "aa"', '"a", "b", "c", "d"'), "U107"),
        (own, OWN.replace('"aa", "bb", "aa"', "1.5"), "U107"),
        (own, OWN.replace('"block_tokens": 10', '"block_tokens": 0'), "U107"),
        (own, OWN.replace("1970-01-01T00:00:02.5Z", "never"), "U101"),
        (own, "{", "U108"),
    ],
)
def test_a_row_that_cannot_be_is_rejected_with_its_place(reader: object, row: str, code: str) -> None:
    (found,) = list(reader.read(TextSource("t.jsonl", ["\n", row])))  # type: ignore[attr-defined]

    assert isinstance(found, Rejected)
    assert (code, "t.jsonl:2") == (found.code, str(found.where))


@pytest.mark.parametrize(
    ("head", "name"),
    [(MOONCAKE, "mooncake"), (SESSION, "agent-sessions"), (OWN, "prefixes"), ('{"used_at": 1}', None), ("", None)],
)
def test_the_kind_is_told_by_the_head(head: str, name: str | None) -> None:
    found = prefix_kind(head.encode())

    assert name == (found.name if found else None)

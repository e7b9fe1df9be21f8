"""Coding-agent sessions: one request a line, as a JSON array, with blocks of 64 tokens.

[session, agent, seconds, model, input_tokens, output_tokens, shared blocks, [[first new block, run length], …]]

Source: the kv-cache-tester traces, compacted. The shared blocks are those of the same agent's previous request; a new
run may name blocks of an earlier request again (an agent that came back to a branch it had left). Seconds and block
ids count anew in every session. Agents numbered apart (`p/agent_003`) are one workload (`p/agent`).
"""

from __future__ import annotations

import re
from typing import Any

from offtake.usage.fields import amount, count, text
from offtake.usage.prefixes.request import PrefixReading, PrefixRequest, Run, joined
from offtake.usage.readers.agent_sessions import arrays
from offtake.usage.rows import Row, TextSource, convert
from offtake.values.errors import InputError

BLOCK_TOKENS = 64
_NUMBERED = re.compile(r"_\d+$")


def read(source: TextSource) -> PrefixReading:
    """Requests in the order of the file, or rejected rows."""
    return convert(arrays(source), _request)


def _request(row: Row) -> PrefixRequest:
    tokens = count("input_tokens", row.values["input_tokens"])
    shared = count("shared blocks", row.values["shared_blocks"])
    runs = _runs(row.values["new_blocks"])
    blocks = shared + sum(length for _, length in runs)
    if blocks != tokens // BLOCK_TOKENS:
        raise InputError("U107", f"{blocks:,} blocks do not make {tokens:,} tokens in blocks of {BLOCK_TOKENS}")
    agent = text(row.values["agent"])
    return PrefixRequest(
        at=int(amount("seconds", row.values["seconds"]) * 1_000_000),
        input_tokens=tokens,
        output_tokens=count("output_tokens", row.values["output_tokens"]),
        block_tokens=BLOCK_TOKENS,
        runs=runs,
        taken_over=shared,
        model=text(row.values["model"]),
        workload=_NUMBERED.sub("", agent),
        session=text(row.values["session"]),
        agent=agent,
        where=row.where,
    )


def _runs(value: Any) -> tuple[Run, ...]:
    if not isinstance(value, list) or not all(isinstance(each, list) and len(each) == 2 for each in value):
        raise InputError("U107", "the new blocks are not a list of [first block, run length]")
    return joined((count("block", first), count("run length", length)) for first, length in value if length)

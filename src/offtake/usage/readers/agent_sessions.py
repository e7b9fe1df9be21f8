"""Coding-agent sessions: one request a line, as a JSON array.

[session, agent, seconds, model, input_tokens, output_tokens, shared blocks, [[first new block, run length], …]]

Source: the kv-cache-tester traces, compacted. Seconds count from `start`, for every session. The shared blocks (of 64
tokens) say what a perfect cache could have served, not what a vendor did: all input is uncached here. What caching
is worth is the planner's question, and it reads the blocks for itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from offtake.usage.fields import amount, count, later, text
from offtake.usage.identity import Identities
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import DECODER, Rejected, Row, TextSource, convert
from offtake.values.errors import InputError, Place

_NAMES = ("session", "agent", "seconds", "model", "input_tokens", "output_tokens", "shared_blocks", "new_blocks")


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request, with the tags `session` and `agent`."""
    identities = Identities("agent-sessions", options.account)
    start = options.start or datetime(1970, 1, 1, tzinfo=UTC)

    def build(row: Row) -> UsageRecord:
        context = count("input_tokens", row.values["input_tokens"])
        return options.record(
            where=row.where,
            id=identities.of_row(row.raw),
            used_at=later(start, int(amount("seconds", row.values["seconds"]) * 1_000_000)),
            model=text(row.values["model"]),
            quantities={
                "input_tokens": context,
                "output_tokens": count("output_tokens", row.values["output_tokens"]),
            },
            context_tokens=context,
            tags={"session": text(row.values["session"]), "agent": text(row.values["agent"])},
        )

    return convert(arrays(source), build)


def arrays(source: TextSource) -> Iterator[Row | Rejected]:
    """The rows of such a file, by the names of their eight values. InputError for an empty file."""
    number = 0
    for number, line in enumerate(source.lines, 1):
        raw = line.strip()
        where = Place(source.file, number)
        if not raw:
            continue
        try:
            values = DECODER.decode(raw)
        except (ValueError, RecursionError) as error:
            yield Rejected(where, f"not JSON: {error}", "U108", raw)
            continue
        if isinstance(values, list) and len(values) == len(_NAMES):
            yield Row(where, dict(zip(_NAMES, values, strict=True)), raw)
        else:
            yield Rejected(where, f"not an array of {len(_NAMES)} values", "U107", raw)
    if not number:
        raise InputError("U110", "the file is empty", where=Place(source.file))

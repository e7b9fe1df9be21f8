"""Our own traces, as a gateway writes them: one request a line, with the hashes of its prompt's blocks.

{"at": "2026-03-01T12:00:00Z", "workload": "chat", "model": "claude-sonnet-4-5", "input_tokens": 2100,
 "output_tokens": 80, "prefix": ["9f2c", "41aa"], "block_tokens": 1024}

`prefix` names the prompt's blocks from its start, by any text or whole number; it may stop before the prompt does, and
its last block may be a part of one. All requests share one cache.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from offtake.usage.fields import count, instant, text
from offtake.usage.prefixes.request import PrefixReading, PrefixRequest, joined
from offtake.usage.rows import Row, TextSource, convert, json_lines
from offtake.values.errors import InputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(source: TextSource) -> PrefixReading:
    """Requests in the order of the file, or rejected rows."""
    numbers: dict[str | int, int] = {}

    def build(row: Row) -> PrefixRequest:
        tokens = count("input_tokens", row.values.get("input_tokens"))
        block = count("block_tokens", row.values.get("block_tokens"))
        ids = row.values.get("prefix")
        if not isinstance(ids, list) or not all(isinstance(each, (str, int)) for each in ids):
            raise InputError("U107", "prefix is not a list of block ids", hint='such as "prefix": ["9f2c", "41aa"]')
        if not block:
            raise InputError(
                "U107", "block_tokens is zero or missing", hint="say how many tokens a block of prefix has"
            )
        if len(ids) > -(-tokens // block):
            raise InputError("U107", f"{len(ids)} blocks of {block:,} tokens are more than {tokens:,} input tokens")
        return PrefixRequest(
            at=(instant("at", row.values.get("at")) - EPOCH) // timedelta(microseconds=1),
            input_tokens=tokens,
            output_tokens=count("output_tokens", row.values.get("output_tokens")),
            block_tokens=block,
            runs=joined((numbers.setdefault(each, len(numbers)), 1) for each in ids),
            model=text(row.values.get("model")),
            workload=text(row.values.get("workload")),
            where=row.where,
        )

    return convert(json_lines(source), build)

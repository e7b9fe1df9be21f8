"""Mooncake traces: {"timestamp": ms, "input_length", "output_length", "hash_ids"}, blocks of 512 tokens.

Source: Mooncake (FAST'25), open traces. All requests share one cache; the last id may stand for a part of a block.
"""

from __future__ import annotations

from offtake.usage.fields import amount, count
from offtake.usage.prefixes.request import PrefixReading, PrefixRequest, joined
from offtake.usage.rows import Row, TextSource, convert, json_lines
from offtake.values.errors import InputError

BLOCK_TOKENS = 512


def read(source: TextSource) -> PrefixReading:
    """Requests in the order of the file, or rejected rows."""
    return convert(json_lines(source), _request)


def _request(row: Row) -> PrefixRequest:
    tokens = count("input_length", row.values.get("input_length"))
    ids = row.values.get("hash_ids")
    if not isinstance(ids, list):
        raise InputError("U107", "hash_ids is not a list")
    found = [count("hash_ids", each) for each in ids]
    if len(found) != -(-tokens // BLOCK_TOKENS):
        raise InputError("U107", f"{len(found)} hash_ids do not make {tokens:,} tokens in blocks of {BLOCK_TOKENS}")
    return PrefixRequest(
        at=int(amount("timestamp", row.values.get("timestamp")) * 1000),
        input_tokens=tokens,
        output_tokens=count("output_length", row.values.get("output_length")),
        block_tokens=BLOCK_TOKENS,
        runs=joined((each, 1) for each in found),
        where=row.where,
    )

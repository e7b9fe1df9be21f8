"""Contract → YAML text that parses to the same contract: what `parse` reads, written back.

Comments and the order of keys are not kept; the terms, their dates and the amendments are.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.schema.field_types import plain

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_QUANTITY = re.compile(r"[0-9][0-9.]*(%|x|%? / [a-z]+| [A-Z]{3}( / [a-z]+)?| [a-z]+( [a-z]+)?)")
_RESERVED = {"null", "true", "false"}


def render(contract: Contract) -> str:
    """The text of a contract file."""
    data = contract.signed.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    amendments = [
        {
            "effective": version.effective,
            "document": version.document,
            "changes": dict(version.changes),
            "prorate": version.prorate,
        }
        for version in contract.versions[1:]
    ]
    if amendments:
        data["amendments"] = amendments
    return "\n".join(block_lines(data, "")) + "\n"


def block_lines(value: object, indent: str) -> list[str]:
    """A mapping or a list in block style, one text a line; what is empty, and every scalar, on one line."""
    lines: list[str] = []
    entries = list(value.items()) if isinstance(value, dict) else [("-", each) for each in value or ()]  # type: ignore[attr-defined]
    for key, each in entries:
        head = f"{indent}-" if not isinstance(value, dict) else f"{indent}{_scalar(key)}:"
        if isinstance(each, (dict, list)) and each:
            inner = block_lines(each, f"{indent}  ")
            lines += [f"{head} {inner[0].lstrip()}", *inner[1:]] if head.endswith("-") else [head, *inner]
        else:
            lines.append(f"{head} {_scalar(each)}")
    return lines


def _scalar(value: object) -> str:
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, int):
        return str(value)
    text = str(value)
    bare = (_WORD.fullmatch(text) and text.lower() not in _RESERVED) or _QUANTITY.fullmatch(text)
    return text if bare else json.dumps(text, ensure_ascii=False)

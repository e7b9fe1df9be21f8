"""docs/reference/contract.md, generated from the schema: every key, its kind, and which engine acts on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offtake.contract.claims import RECORD_ONLY, engines_of
from offtake.contract.schema.json_schema import json_schema
from offtake.contract.schema.terms import ContractFile
from offtake.contract.schema.walk import Field, fields, parts

HEAD = """# The contract file

Generated from the schema; do not edit. `[]` stands for any element of a list, `*` for any key.
Every term may also have `source`, the paragraph of the signed paper.
A key in bold is required where its section is used.
The last column says who acts on it: plan, negotiate, gate, rate, assure; `recorded` where it is kept and shown only.
"""


def reference() -> str:
    """The whole page."""
    return HEAD + "".join(_section(section) for section in _sections()) + "\n"


def _sections() -> Iterator[list[Field]]:
    """The fields of one key of the file at a time; the identity of the contract first."""
    found: dict[str, list[Field]] = {}
    for field in fields(ContractFile):
        top = field.path.partition(".")[0].partition("[")[0]
        found.setdefault(top, []).append(field)
    yield [each for group in found.values() if len(group) == 1 for each in group]
    yield from (group for group in found.values() if len(group) > 1)


def _section(section: list[Field]) -> str:
    first = section[0]
    alone = first.term is ContractFile and not any(field.path.startswith(f"{first.path}.") for field in section)
    title = (
        "Identity, and what has one line" if alone and len(section) > 1 and "." not in section[1].path else first.path
    )
    lines = [f"\n## {title}\n"]
    if title == first.path:
        lines.append(f"{first.description}\n")
        section = section[1:]
    lines += ["| key | what | form | engines |", "|---|---|---|---|"]
    return "\n".join([*lines, *(_row(field) for field in section)]) + "\n"


def _row(field: Field) -> str:
    key = f"**`{field.path}`**" if field.info.is_required() else f"`{field.path}`"
    holds_terms = bool(_terms_in(field.info.annotation))
    engines = ", ".join(engines_of(field.term.__name__, field.key))
    reason = RECORD_ONLY.get(f"{field.term.__name__}.{field.key}", "")
    acts = "" if holds_terms else engines or f"recorded: {reason}"
    return " | ".join(["| " + key, field.description, _form(field), acts]) + " |"


def _terms_in(annotation: Any) -> bool:
    found = parts(annotation)
    return bool(found.terms) or any(inner is not None and _terms_in(inner) for inner in (found.element, found.value))


def _form(field: Field) -> str:
    schema = json_schema_of(field)
    return ", ".join(dict.fromkeys(_forms(schema)))


def json_schema_of(field: Field) -> dict[str, Any]:
    """The JSON Schema of one field."""
    root = json_schema()
    owner = root if field.term is ContractFile else root["$defs"][field.term.__name__]
    schema: dict[str, Any] = owner["properties"][field.key]
    return schema


def _forms(schema: dict[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield "section"
    elif "anyOf" in schema:
        for each in schema["anyOf"]:
            yield from _forms(each)
    elif "enum" in schema or "const" in schema:
        yield from (f"`{each}`" for each in schema.get("enum", [schema.get("const")]))
    elif schema.get("examples"):
        yield f"`{schema['examples'][0]}`"
    elif schema.get("type") == "array":
        yield "list of " + " or ".join(dict.fromkeys(_forms(schema.get("items", {}))))
    elif schema.get("format") in ("date", "date-time"):
        yield "date" if schema["format"] == "date" else "instant"
    elif schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        yield "mapping to " + (" or ".join(dict.fromkeys(_forms(inner))) if isinstance(inner, dict) else "any")
    elif "type" in schema:
        yield {"string": "text", "integer": "whole number", "boolean": "true or false"}.get(
            schema["type"], schema["type"]
        )

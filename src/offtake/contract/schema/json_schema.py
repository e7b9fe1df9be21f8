"""The JSON Schema of the contract file and of the negotiation file, generated from the models.

`schema/contract.schema.json` is what these functions give (a test compares); editors complete and check with it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from offtake.contract.schema.negotiation import NegotiationFile
from offtake.contract.schema.terms import ContractFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@lru_cache(maxsize=1)
def json_schema() -> dict[str, Any]:
    """The schema of a contract file."""
    schema = _plain(ContractFile.model_json_schema(by_alias=True, mode="validation"))
    words = {"enum": ["free", "billed"], "description": "One word for every outcome."}
    section = schema["properties"]["failed_requests"]
    section["anyOf"] = [{"$ref": section.pop("$ref")}, words]
    return {"$schema": DIALECT, **schema, "title": "Offtake contract"}


def negotiation_schema() -> dict[str, Any]:
    """The schema of a negotiation file."""
    schema = _plain(NegotiationFile.model_json_schema(by_alias=True, mode="validation"))
    return {"$schema": DIALECT, **schema, "title": "Offtake negotiation"}


def _plain(node: Any) -> Any:
    """Without the titles that repeat the key, and without null: a key is left out, never empty."""
    if isinstance(node, list):
        return [_plain(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: _plain(value)
        for key, value in node.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value in (None, [], {}))
    }
    options = [each for each in kept.get("anyOf", []) if each != {"type": "null"}]
    if len(options) == 1:
        kept.pop("anyOf")
        kept = {**options[0], **kept}
    elif options:
        kept["anyOf"] = options
    return kept

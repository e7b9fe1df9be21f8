"""What the gateway serves, as an OpenAPI 3.1 description: its paths, the fields that it reads, and how it says no.

Bodies are the vendors' own and pass as they are, so only what the gateway itself reads is described; every other field
is allowed. Served at `/openapi.json`.
"""

from __future__ import annotations

from typing import Any

from offtake import __version__
from offtake.gateway.batch.described import WAITS, batch_paths

Json = dict[str, Any]
_OPENAI_ERROR: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": ["string", "null"]},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null", "integer"]},
            },
        }
    },
}
_ANTHROPIC_ERROR: Json = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}
_TEXT: Json = {"type": "string", "minLength": 1}
_LIMIT: Json = {"type": "integer", "minimum": 1, "maximum": 200_000}
_MESSAGES: Json = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": {"enum": ["user", "assistant"]}, "content": _TEXT},
    },
}
_MODEL: Json = {"type": "string", "minLength": 1}
_CALLS: tuple[tuple[str, str, str, Json, list[str]], ...] = (
    (
        "/v1/chat/completions", "openai", "A chat completion, whole or as server-sent events.",
        {"model": _MODEL, "messages": _MESSAGES, "stream": {"type": "boolean"}, "max_completion_tokens": _LIMIT},
        ["model", "messages"],
    ),
    (
        "/v1/responses", "openai", "A response, whole or as server-sent events.",
        {"model": _MODEL, "input": _TEXT, "stream": {"type": "boolean"}, "max_output_tokens": _LIMIT},
        ["model", "input"],
    ),
    (
        "/v1/embeddings", "openai", "Embeddings of texts.",
        {"model": _MODEL, "input": {"anyOf": [_TEXT, {"type": "array", "minItems": 1, "items": _TEXT}]}},
        ["model", "input"],
    ),
    (
        "/v1/messages", "anthropic", "A message, whole or as server-sent events.",
        {"model": _MODEL, "messages": _MESSAGES, "max_tokens": _LIMIT, "stream": {"type": "boolean"}},
        ["model", "messages", "max_tokens"],
    ),
    (
        "/v1/messages/count_tokens", "anthropic", "How many tokens a message's input has; free.",
        {"model": _MODEL, "messages": _MESSAGES}, ["model", "messages"],
    ),
)  # fmt: skip


def description() -> Json:
    """The whole description."""
    paths: Json = {
        path: {"post": _call(dialect, said, fields, required)} for path, dialect, said, fields, required in _CALLS
    }
    paths["/v1/models"] = {"get": _get("The models that the key may use.", keyed=True)}
    paths |= batch_paths(
        {"openai": _OPENAI_ERROR, "anthropic": _ANTHROPIC_ERROR, "either": {"anyOf": [_OPENAI_ERROR, _ANTHROPIC_ERROR]}}
    )
    paths["/health/live"] = {"get": _get("Whether the process answers.")}
    paths["/health/ready"] = {"get": _get("Whether it takes requests.")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Offtake gateway", "version": __version__, "description": (__doc__ or "").strip()},
        "security": [{"bearer": []}, {"x-api-key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            }
        },
    }


def _call(dialect: str, said: str, fields: Json, required: list[str]) -> Json:
    error = _OPENAI_ERROR if dialect == "openai" else _ANTHROPIC_ERROR
    body = {"type": "object", "required": required, "properties": fields}
    whole = {"application/json": {"schema": {"type": "object"}}, "text/event-stream": {}}
    refusals = {
        "400": "The request cannot be read, or asks for what the vendor's dialect cannot say.",
        "401": "No gateway key, or one that is not good.",
        "402": "A budget is spent (Anthropic's dialect).",
        "403": "The contract or the key forbids it; the clause is named.",
        "404": "No contract sells this model.",
        "408": "The client was too slow.",
        "413": "The body is too large.",
        "422": "The vendor refuses a field.",
        "429": "A rate, or a budget (OpenAI's dialect).",
        "503": "The ledger or a vendor cannot be reached now.",
    }
    return {
        "summary": said,
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": {"description": "The vendor's answer, byte for byte, with headers of ours.", "content": whole},
            "202": WAITS,
            **{
                status: {"description": words, "content": {"application/json": {"schema": error}}}
                for status, words in refusals.items()
            },
        },
    }


def _get(said: str, *, keyed: bool = False) -> Json:
    answers: Json = {
        "200": {"description": "As asked.", "content": {"application/json": {"schema": {"type": "object"}}}}
    }
    if keyed:
        answers["401"] = {
            "description": "No gateway key.", "content": {"application/json": {"schema": {"type": "object"}}}
        }  # fmt: skip
        return {"summary": said, "responses": answers}
    return {"summary": said, "responses": answers, "security": []}

"""Files and batches in the gateway's OpenAPI description: their paths, what is read of a request, and what answers."""

from __future__ import annotations

from typing import Any

from offtake.gateway.batch.lines import ENDPOINTS, REQUESTS_MAX

Json = dict[str, Any]
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
_LINE = (
    '{"custom_id":"one","method":"POST","url":"/v1/chat/completions",'
    '"body":{"model":"gpt-5.4","max_completion_tokens":20,"messages":[{"role":"user","content":"hello"}]}}\n'
)
_UPLOAD: Json = {
    "type": "object",
    "required": ["file", "purpose"],
    "properties": {
        "file": {"type": "string", "format": "binary", "minLength": 1, "examples": [_LINE]},
        "purpose": {"const": "batch"},
        "expires_after[seconds]": {"type": "integer", "minimum": 3_600, "maximum": 2_592_000},
    },
}
_NEW_BATCH: Json = {
    "type": "object",
    "required": ["input_file_id", "endpoint", "completion_window"],
    "properties": {
        "input_file_id": {"type": "string", "minLength": 1},
        "endpoint": {"enum": list(ENDPOINTS)},
        "completion_window": {"const": "24h"},
        "metadata": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
        "output_expires_after": {"type": "object", "properties": {"seconds": {"type": "integer"}}},
    },
}
_MESSAGE: Json = {
    "type": "object",
    "required": ["model", "max_tokens", "messages"],
    "properties": {
        "model": {"type": "string", "minLength": 1},
        "max_tokens": {"type": "integer", "minimum": 1, "maximum": 200_000},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {"role": {"enum": ["user", "assistant"]}, "content": {"type": "string", "minLength": 1}},
            },
        },
    },
}
_REQUESTS: Json = {
    "type": "object",
    "required": ["requests"],
    "properties": {
        "requests": {
            "type": "array",
            "minItems": 1,
            "maxItems": REQUESTS_MAX,
            "items": {
                "type": "object",
                "required": ["custom_id", "params"],
                "properties": {"custom_id": {"type": "string", "minLength": 1, "maxLength": 64}, "params": _MESSAGE},
            },
        }
    },
}
_FILE: Json = {
    "type": "object",
    "required": ["id", "object", "bytes", "created_at", "filename", "purpose", "status"],
    "properties": {
        "object": {"const": "file"},
        "bytes": {"type": "integer"},
        "status": {"enum": ["uploaded", "processed", "error"]},
    },
}
_BATCH: Json = {
    "type": "object",
    "required": ["id", "object", "endpoint", "input_file_id", "status", "created_at", "request_counts", "offtake"],
    "properties": {
        "object": {"const": "batch"},
        "status": {
            "enum": [
                "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled",
            ]
        },
        "request_counts": {"type": "object", "required": ["total", "completed", "failed"]},
        "offtake": {"type": "object", "required": ["held", "cost"]},
    },
}  # fmt: skip
_MESSAGE_BATCH: Json = {
    "type": "object",
    "required": ["id", "type", "processing_status", "request_counts", "created_at", "expires_at", "results_url"],
    "properties": {
        "type": {"const": "message_batch"},
        "processing_status": {"enum": ["in_progress", "canceling", "ended"]},
    },
}
WAITS: Json = {
    "description": "Taken: the answer will be at `location`.",
    "content": {"application/json": {"schema": {"type": "object", "required": ["id", "object", "status"]}}},
}
"""The answer to `Prefer: respond-async`, and to who asks too early."""
_DELETED: Json = {"type": "object", "required": ["id"]}
_QUERY = {"openai": ("after",), "anthropic": ("after_id", "before_id")}
_REFUSALS = {
    "400": "What was sent cannot be read, or does not fit; lines of a file are named by their numbers.",
    "401": "No gateway key, or one that is not good.",
    "402": "A budget is spent (Anthropic's dialect).",
    "403": "The contract or the key forbids it; the clause is named.",
    "404": "No such file or batch of this key, or a line's model that no contract sells.",
    "413": "The body is too large.",
    "429": "A budget is spent (OpenAI's dialect).",
    "503": "The disk cannot take it.",
    "529": "The disk cannot take it (Anthropic's dialect).",
}


def batch_paths(errors: dict[str, Json]) -> Json:
    """The paths; `errors` are the schemas of an error by wire."""

    def call(wire: str, said: str, answer: Json, *, body: Json | None = None, form: bool = False, listed: bool = False
             ) -> Json:  # fmt: skip
        found: Json = {"summary": said, "responses": _responses(_listed(answer) if listed else answer, errors[wire])}
        if body is not None:
            kind = "multipart/form-data" if form else "application/json"
            found["requestBody"] = {"required": True, "content": {kind: {"schema": body}}}
        if listed:
            names = [("limit", "integer"), *((name, "string") for name in _QUERY[wire])]
            found["parameters"] = [{"name": name, "in": "query", "schema": {"type": type}} for name, type in names]
        return found

    def one(**calls: Json) -> Json:
        return {"parameters": [_ID], **calls}

    return {
        "/v1/files": {
            "post": call("openai", "Keep and check a file of requests.", _FILE, body=_UPLOAD, form=True),
            "get": call("openai", "The key's files.", _FILE, listed=True),
        },
        "/v1/files/{id}": one(
            get=call("openai", "One file.", _FILE), delete=call("openai", "Delete a file.", _DELETED)
        ),
        "/v1/files/{id}/content": one(get=call("openai", "A file's content.", {"octets": True})),
        "/v1/batches": {
            "post": call("openai", "Hold for a file's requests and run them.", _BATCH, body=_NEW_BATCH),
            "get": call("openai", "The key's batches.", _BATCH, listed=True),
        },
        "/v1/batches/{id}": one(get=call("openai", "One batch.", _BATCH)),
        "/v1/batches/{id}/cancel": one(post=call("openai", "Stop what has not run.", _BATCH)),
        "/v1/deferred/{id}": one(
            get=_later(call("either", "The answer of a call that could wait, in its dialect.", {"type": "object"})),
            delete=_later(call("either", "Cancel such a call, or delete its answer.", _DELETED)),
        ),
        "/v1/messages/batches": {
            "post": call("anthropic", "Hold for requests and run them.", _MESSAGE_BATCH, body=_REQUESTS),
            "get": call("anthropic", "The key's batches of messages.", _MESSAGE_BATCH, listed=True),
        },
        "/v1/messages/batches/{id}": one(
            get=call("anthropic", "One batch of messages.", _MESSAGE_BATCH),
            delete=call("anthropic", "Delete a batch that has ended.", _DELETED),
        ),
        "/v1/messages/batches/{id}/cancel": one(post=call("anthropic", "Stop what has not run.", _MESSAGE_BATCH)),
        "/v1/messages/batches/{id}/results": one(get=call("anthropic", "Its results, a line each.", {"octets": True})),
    }


def _later(call: Json) -> Json:
    """A call whose answer may not be there yet, or never will be."""
    gone = call["responses"]["400"] | {"description": "It was cancelled, or did not run within 24 hours."}
    failed = gone | {"description": "Nobody knows what became of it."}
    return call | {"responses": call["responses"] | {"202": WAITS, "410": gone, "502": failed}}


def _responses(answer: Json, error: Json) -> Json:
    content: Json = {"application/json": {"schema": answer}}
    if "octets" in answer:
        content = {"application/octet-stream": {}, "application/x-jsonl": {}}
    refusals = {
        status: {"description": words, "content": {"application/json": {"schema": error}}}
        for status, words in _REFUSALS.items()
    }
    return {"200": {"description": "As asked.", "content": content}, **refusals}


def _listed(answer: Json) -> Json:
    return {
        "type": "object",
        "required": ["data", "has_more"],
        "properties": {"data": {"type": "array", "items": answer}, "has_more": {"type": "boolean"}},
    }

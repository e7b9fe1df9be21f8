"""`GET models` of both wires: what the catalogue lists."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox.models import OUTPUT_MAX, Model
from offtake.sandbox.pages import call_of, page_of, reply, sandbox_of


async def list_models(request: Request) -> Response:
    """All models of the vendor; OpenAI's list has no pages."""
    call = call_of(request)
    models = [_said(model, model.id, call.anthropic) for model in sandbox_of(request).models.listed(call.vendor)]
    if not call.anthropic:
        return reply(request, {"object": "list", "data": models})
    return reply(request, page_of(request, models))


async def one_model(request: Request) -> Response:
    """A model by its name."""
    call = call_of(request)
    name = request.path_params["name"]
    return reply(request, _said(sandbox_of(request).models.find(call.vendor, name), name, call.anthropic))


def _said(model: Model, name: str, anthropic: bool) -> dict[str, Any]:
    if not anthropic:
        created = int(model.launched.timestamp())
        return {"id": name, "object": "model", "created": created, "owned_by": model.catalog_vendor}
    return {
        "type": "model",
        "id": name,
        "display_name": model.id.replace("-", " ").title(),
        "created_at": model.launched.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "line": None,
        "deprecated_at": None,
        "retires_at": None,
        "max_input_tokens": model.window,
        "max_tokens": OUTPUT_MAX,
    }

"""OpenAI's embeddings: vectors that the text alone decides, as base64 or as numbers."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from offtake.sandbox.ask import Ask, Caller
from offtake.sandbox.done import Chunk, Done, Wire
from offtake.sandbox.models import Model
from offtake.sandbox.openai_reading import count_of
from offtake.sandbox.prompt import Block, Prompt, compact
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.tokens import tokens_of

_DIMENSIONS = {"text-embedding-3-large": 3072}
_DIMENSIONS_OTHERWISE = 1536
INPUTS_MAX = 2048
DIMENSIONS_MAX = 3072


def read(model: Model, body: dict[str, Any], caller: Caller) -> Ask:
    """The request, or a VendorError 400."""
    if not model.embeds:
        raise VendorError(403, f"You are not allowed to generate embeddings from {model.id}")
    if body.get("encoding_format") not in (None, "float", "base64"):
        raise VendorError.invalid("Invalid 'encoding_format': 'float' or 'base64'", param="encoding_format")
    if count_of(body, "dimensions", 1) > DIMENSIONS_MAX:
        raise VendorError.invalid(f"Invalid 'dimensions': at most {DIMENSIONS_MAX}", param="dimensions")
    texts = _inputs(body.get("input"))
    blocks = [Block(compact(each).encode(), len(each) if isinstance(each, list) else tokens_of(each)) for each in texts]
    return Ask("embeddings", model, Prompt(blocks), body, output_max=0, choices=0, region=caller.region)


def _inputs(given: object) -> list[Any]:
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list) and given and all(isinstance(each, int) for each in given):
        given = [given]
    if not isinstance(given, list) or not given or len(given) > INPUTS_MAX:
        raise VendorError.invalid(f"'input' must be a text, or a list of 1 to {INPUTS_MAX}", param="input")
    if not all(isinstance(each, str | list) and each for each in given):
        raise VendorError.invalid("'$.input' is invalid. Each must be a text that is not empty.", param="input")
    return given


def whole(done: Done) -> dict[str, Any]:
    """The body of the answer."""
    body = done.ask.body
    size = count_of(body, "dimensions", _DIMENSIONS.get(done.ask.model.id, _DIMENSIONS_OTHERWISE))
    data = []
    for index, block in enumerate(done.ask.prompt.blocks):
        packed = _vector(block.content, size)
        plain = body.get("encoding_format") != "base64"
        vector = list(struct.unpack(f"<{size}f", packed)) if plain else base64.b64encode(packed).decode()
        data.append({"object": "embedding", "index": index, "embedding": vector})
    said = done.usage_said
    tokens = {} if said is None else {"usage": {"prompt_tokens": said.input, "total_tokens": said.input}}
    return {"object": "list", "data": data, "model": body["model"]} | tokens


def _vector(content: bytes, size: int) -> bytes:
    """Little-endian floats of length one: only the first four differ from zero, so it is cheap to make."""
    seed = zlib.crc32(content)
    signs = [(0.5 if seed >> bit & 1 else -0.5) for bit in range(4)]
    return struct.pack("<4f", *signs)[: size * 4].ljust(size * 4, b"\0")


def stream(done: Done, size: int) -> Iterator[Chunk]:
    """Embeddings are not streamed."""
    raise VendorError.invalid("embeddings are not streamed")


WIRE = Wire("emb_", read, whole, stream)

"""A true upper bound of the input tokens of a request, from its bytes alone.

Text: every tokenizer in use is a byte-level or byte-fallback BPE, so that a token covers at least one byte of the text
that it reads, and JSON never writes a text in fewer bytes than it has (an escape has 6 bytes for at most 3). Claude's
tokenizer was published with NFKC in front of it (anthropic-tokenizer-typescript), which can lengthen a text: U+FDFA
grows from 3 bytes to 33. What NFKC adds is therefore added. Encrypted thinking and compacted turns are counted by the
bytes that they are handed back in, which hold the whole text.

Around the text: a vendor's chat template spends some four tokens a message, less than the JSON around it has bytes;
what it adds once a request is `REQUEST_OVERHEAD`, and `INSTRUCTED_OVERHEAD` where it explains tools or an output format
to the model (Anthropic's table of tool-use prompts ends at 530 tokens; this is some four times as much).

Images cost by pixels and not by bytes: their base64 is taken out and the vendor's maximum put in. Pages of a PDF are
compressed, so that no number of bytes bounds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import msgspec

REQUEST_OVERHEAD = 64
INSTRUCTED_OVERHEAD = 2_048

# Anthropic, "Images and vision": an image is scaled down to at most 4,784 tokens (1,568 on older models).
ANTHROPIC_IMAGE = 4_784
# OpenAI, "Images and vision". Tiles: gpt-4o-mini takes 2,833 and 5,667 for each of at most 8 tiles of 512 pixels.
# Patches: 32 pixels square, up to 2.46 tokens each; 256 of them at low detail, 2,500 at high, and at original (which
# auto may mean) those of a square of 6,000 pixels. The larger of the two kinds holds for every model.
OPENAI_IMAGE = {"low": 2_833, "high": 2_833 + 8 * 5_667}
OPENAI_IMAGE_ORIGINAL = 86_947

_ESCAPE = re.compile(rb"\\u").search  # twice as fast as `in`
_ESCAPED = re.compile(rb"\\u[0-9a-fA-F]{4}")


class Content(msgspec.Struct):
    """What was found in a request beside its text."""

    images_tokens: int = 0
    images_bytes: int = 0  # of the body, which are no text
    known: bool = True  # False: something that the request names but does not hold
    audio: bool = False
    any_medium: bool = False  # the answer may be more than text
    cache_short: bool = False
    cache_long: bool = False

    def image(self, tokens: int, bytes_inline: int) -> None:
        """One image of at most so many tokens, of which so many bytes stand in the body."""
        self.images_tokens += tokens
        self.images_bytes += bytes_inline

    @property
    def media(self) -> tuple[str, ...]:
        """What may be priced otherwise than text; all of it where the request does not hold its content."""
        anything = self.any_medium or not self.known
        return ("audio",) * (self.audio or anything) + ("image",) * (self.images_tokens > 0 or anything)

    @property
    def cache_writes(self) -> tuple[str, ...]:
        """The retentions that the marks in the content ask for."""
        return ("5m",) * self.cache_short + ("1h",) * self.cache_long


def input_tokens_max(body: bytes, content: Content, overhead: int) -> int | None:
    """At least the tokens that a vendor counts for `body`, or None where nothing bounds them."""
    if not content.known:
        return None
    return len(body) - content.images_bytes + content.images_tokens + overhead + grown(body)


def grown(body: bytes) -> int:
    """How many bytes the text of `body` gains at most when a tokenizer normalises it to NFKC first."""
    if body.isascii() and (b"\\" not in body or not _ESCAPE(body)):
        return 0
    text = body.decode(errors="replace")
    if "\\u" in text:
        text = _ESCAPED.sub(_unescaped, body).decode(errors="replace")
    if unicodedata.is_normalized("NFKC", text):
        return 0
    return sum(_growth(letter) for letter in text if letter > "\x7f")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    # Halves of surrogate pairs become "?": beyond the first plane NFKC makes at most 12 bytes, as many as two escapes.
    return chr(int(escape[0][-4:], 16)).encode(errors="replace")


@lru_cache(4_096)
def _growth(letter: str) -> int:
    normal = unicodedata.normalize("NFKC", letter)
    return max(len(normal.encode(errors="replace")) - len(letter.encode(errors="replace")), 0)


def openai_image_tokens(detail: str) -> int:
    """The most that one image may cost on any of OpenAI's models, and those of vendors who speak its dialect."""
    return OPENAI_IMAGE.get(detail, OPENAI_IMAGE_ORIGINAL)


def overhead_of(fields: Mapping[str, object], instructed_by: frozenset[str]) -> int:
    """What a vendor's template adds once a request: more where one of these fields makes it explain itself."""
    return REQUEST_OVERHEAD if instructed_by.isdisjoint(fields) else INSTRUCTED_OVERHEAD

"""Pictures and files: data URLs in OpenAI's dialects, a media type beside base64 in Anthropic's."""

from __future__ import annotations

import binascii
import re

from offtake.gateway.translate.fields import BadRequest
from offtake.gateway.translate.meaning import Cache, Document, Image

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)((?:;[\w.+-]+=[^;,]*)*);base64,", re.ASCII | re.IGNORECASE)
IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def image_of(url: str, where: str, cache: Cache = "") -> Image:
    """An image of a data URL or of an address. Raises BadRequest."""
    if not url.lower().startswith("data:"):
        return Image(url=url, cache=cache)
    media_type, data = _split(url, where)
    if media_type not in IMAGE_TYPES:
        raise BadRequest(f"{where}: an image is JPEG, PNG, GIF or WebP, not {media_type}", where)
    return Image(media_type, data, cache=cache)


def document_of(url: str, title: str, where: str, cache: Cache = "") -> Document:
    """A document of a data URL: PDF stays base64, text becomes text. Raises BadRequest."""
    media_type, data = _split(url, where)
    if media_type == "application/pdf":
        return Document(media_type, data, title=title, cache=cache)
    if media_type == "text/plain":
        try:
            return Document(media_type, binascii.a2b_base64(data).decode(), title=title, cache=cache)
        except ValueError as error:
            raise BadRequest(f"{where}: the text is not UTF-8 in base64", where) from error
    raise BadRequest(f"{where}: a document is PDF or plain text, not {media_type}", where)


def image_url(image: Image) -> str:
    """An image as one URL."""
    return image.url or f"data:{image.media_type};base64,{image.data}"


def document_url(document: Document) -> str:
    """A document as a data URL."""
    data = document.data
    if document.media_type == "text/plain":
        data = binascii.b2a_base64(data.encode(), newline=False).decode()
    return f"data:{document.media_type};base64,{data}"


def _split(url: str, where: str) -> tuple[str, str]:
    match = _DATA_URL.match(url)
    if match is None:
        raise BadRequest(f"{where}: not a data URL of the form data:TYPE;base64,DATA", where)
    return match[1].lower().replace("image/jpg", "image/jpeg"), url[match.end() :]

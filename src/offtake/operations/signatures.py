"""Documents that the gateway's owner signs: an HMAC, with the secret beside the store, over all that they say."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping


def signed(document: Mapping[str, object], secret: bytes) -> dict[str, object]:
    """The document with its signature, in hex."""
    return {**document, "signature": _signature(document, secret)}


def is_signed(document: Mapping[str, object], secret: bytes) -> bool:
    """Whether it says what was signed with this secret."""
    said = {name: value for name, value in document.items() if name != "signature"}
    shown = str(document.get("signature", "")).encode(errors="replace")
    return hmac.compare_digest(shown, _signature(said, secret).encode())


def _signature(document: Mapping[str, object], secret: bytes) -> str:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.digest(secret, text.encode(errors="surrogatepass"), "sha256").hex()

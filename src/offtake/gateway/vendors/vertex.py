"""Claude on Vertex AI: Anthropic's bodies below a project and a location of Google's, with a token of google-auth.

Tokens live for an hour. They are fetched beside the traffic, before they end, so that no request waits for one.
Source: anthropic 2.12 (lib/vertex), read November 2026.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from offtake.gateway.translate.failures import kind_of_status
from offtake.gateway.vendors import cloud
from offtake.gateway.vendors.endpoint import Arriving, Call, Headers
from offtake.values.errors import OutsideError

VERSION = "vertex-2023-10-16"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class VertexWire:
    """Calls below one `…/projects/P/locations/L`, which the base address names.

    OutsideError G706 where google-auth is missing, G707 where no credentials are found.
    """

    dialects = ("anthropic_messages", "anthropic_count_tokens")
    repeats = False

    def __init__(self, betas: Collection[str] | None = None) -> None:
        self._betas = betas
        self._credentials, self._request = _credentials()
        self._authorization: Headers = {}
        self.renew()

    def call(self, dialect: str, model: str, stream: bool, body: bytes, headers: Headers, query: str) -> Call:
        """The call with the present token. Tokens are counted under a name of their own, with the model in the body."""
        counts = dialect == "anthropic_count_tokens"
        name = "count-tokens" if counts else quote(model, safe="@")
        verb = "streamRawPredict" if stream else "rawPredict"
        betas, edits = cloud.betas_of(headers, self._betas)
        sent = {each: value for each, value in headers.items() if each in cloud.PASSING} | self._authorization
        if betas:
            sent[b"anthropic-beta"] = ",".join(betas).encode("latin-1")
        body = cloud.body_of(body, () if counts else ("model",), VERSION)
        return Call(f"/publishers/anthropic/models/{name}:{verb}", sent, body, unwrapped, edits)

    def renew(self) -> None:
        """Fetch a token where there is none, or the old one ends soon. Blocks; OutsideError G707."""
        from google.auth.exceptions import GoogleAuthError

        try:
            if not self._credentials.valid:  # false some minutes before the end
                self._credentials.refresh(self._request)
        except GoogleAuthError as error:
            raise _without(error) from error
        found: dict[str, str] = {}
        self._credentials.apply(found)
        self._authorization = {name.lower().encode(): value.encode() for name, value in found.items()}


def unwrapped(answer: Arriving) -> Arriving:
    """Vertex' answer: Anthropic's own, but for errors of Google's."""
    if answer.status < 400:
        return answer
    return cloud.CloudAnswer(answer, {}, kind_of_status(answer.status))


def _credentials() -> tuple[Any, Any]:
    try:
        import google.auth
        from google.auth.exceptions import GoogleAuthError
        from google.auth.transport.urllib3 import Request
        from urllib3 import PoolManager
    except ImportError as error:
        what = "the wire vertex needs google-auth and urllib3"
        raise OutsideError("G706", what, hint="pip install 'offtake[vertex]'") from error
    try:
        found, _ = google.auth.default(scopes=[SCOPE])
    except GoogleAuthError as error:
        raise _without(error) from error
    return found, Request(PoolManager())  # type: ignore[no-untyped-call]  # google-auth's


def _without(why: object) -> OutsideError:
    hint = "set GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth application-default login`"
    return OutsideError("G707", "no Google credentials for Vertex", why=" ".join(str(why).split()), hint=hint)

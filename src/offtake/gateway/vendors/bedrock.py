"""Claude on Amazon Bedrock: each call signed by botocore's signer (SigV4), answers in AWS' event stream.

Credentials come by botocore's own chain (environment, profile, role, container, instance) and are renewed beside the
traffic. A Bedrock API key, where one is configured, takes the place of the signature.
Sources: botocore's service model of bedrock-runtime, anthropic 2.12 (lib/bedrock), read November 2026.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from urllib.parse import quote

from offtake.gateway.translate.failures import kind_of_status
from offtake.gateway.vendors import cloud
from offtake.gateway.vendors.endpoint import Arriving, Call, Headers
from offtake.gateway.vendors.event_stream import EventStream, kind_of
from offtake.values.errors import OutsideError

VERSION = "bedrock-2023-05-31"
SERVICE = "bedrock"
FRAMED = b"application/vnd.amazon.eventstream"


class BedrockWire:
    """Calls to one address of Bedrock's.

    OutsideError G706 where botocore is missing, G707 where no credentials are found.
    """

    dialects = ("anthropic_messages",)
    repeats = False

    def __init__(
        self,
        base_url: str,
        region: str,
        key: str = "",
        profile: str | None = None,
        betas: Collection[str] | None = None,
    ) -> None:
        self._betas = betas
        self._base_url = base_url.rstrip("/")
        self._region = region
        self._bearer: Headers = {b"authorization": b"Bearer " + key.encode()} if key else {}
        self._credentials = None if key else _credentials(profile)
        self._frozen: Any = None
        self.renew()

    def call(self, dialect: str, model: str, stream: bool, body: bytes, headers: Headers, query: str) -> Call:
        """The call, signed. The model's id stands in the path; it may be an ARN."""
        target = f"/model/{quote(model, safe='')}/{'invoke-with-response-stream' if stream else 'invoke'}"
        sent = {name: value for name, value in headers.items() if name in cloud.PASSING}
        sent |= {b"content-type": cloud.JSON, b"accept": FRAMED if stream else cloud.JSON}
        betas, edits = cloud.betas_of(headers, self._betas)
        body = cloud.body_of(body, ("model", "stream"), VERSION, betas)
        return Call(target, sent | (self._bearer or self._signature(target, sent, body)), body, unwrapped, edits)

    def renew(self) -> None:
        """Take new credentials where the old ones end soon. Blocks, so it is called in a thread; OutsideError G707."""
        if self._credentials is None:
            return
        from botocore.exceptions import BotoCoreError

        try:
            self._frozen = self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise _without(error) from error

    def _signature(self, target: str, headers: Headers, body: bytes) -> Headers:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        signed = {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}
        request = AWSRequest("POST", self._base_url + target, signed, body)
        SigV4Auth(self._frozen, SERVICE, self._region).add_auth(request)
        return {name.lower().encode("latin-1"): value.encode("latin-1") for name, value in request.headers.items()}


def unwrapped(answer: Arriving) -> cloud.CloudAnswer:
    """Bedrock's answer in Anthropic's dialect."""
    framed = answer.headers.get(b"content-type", b"").startswith(FRAMED)
    named = kind_of(answer.headers.get(b"x-amzn-errortype", b"").decode("latin-1"))
    request_id = answer.headers.get(b"x-amzn-requestid")
    headers = {} if request_id is None else {b"request-id": request_id}
    return cloud.CloudAnswer(answer, headers, named or kind_of_status(answer.status), EventStream() if framed else None)


def _credentials(profile: str | None) -> Any:
    try:
        from botocore.exceptions import BotoCoreError
        from botocore.session import Session
    except ImportError as error:
        what = "the wire bedrock needs botocore"
        raise OutsideError("G706", what, hint="pip install 'offtake[bedrock]'") from error
    try:
        found = Session(profile=profile).get_credentials()
    except BotoCoreError as error:
        raise _without(error) from error
    if found is None:
        raise _without("botocore finds none in the environment, a profile or a role")
    return found


def _without(why: object) -> OutsideError:
    hint = (
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, aws_profile, or a role; `aws sts get-caller-identity` tells"
    )
    return OutsideError("G707", "no AWS credentials for Bedrock", why=str(why), hint=hint)

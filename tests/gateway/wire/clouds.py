"""Bedrock's and Vertex' wire around the sandbox's Anthropic, as a server of its own.

It signs a call again with botocore and compares, gives out Google's tokens, and frames its streams by hand. What is to
go wrong is said in the prompt: `fail:ThrottlingException`, `raise:modelStreamErrorException`, `corrupt`, `cut`,
`advise`.
"""

from __future__ import annotations

import base64
import json
import random
import re
import struct
import threading
import urllib.error
import urllib.request
from binascii import crc32
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ACCESS_KEY, SECRET_KEY, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "eu-central-1"
STATUSES = {"ThrottlingException": 429, "ModelErrorException": 424, "AccessDeniedException": 403}
LOCATION = "/v1/projects/acme/locations/us-east5"
ADVICE = {"type": "advisor_message", "model": "claude-opus-4-5", "input_tokens": 700, "output_tokens": 40}


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One message of AWS' event stream."""
    block = b"".join(
        struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", 7, len(value)) + value.encode()
        for name, value in headers.items()
    )
    prelude = struct.pack("!II", 16 + len(block) + len(payload), len(block))
    message = prelude + struct.pack("!I", crc32(prelude)) + block + payload
    return message + struct.pack("!I", crc32(message))


def chunk(event: bytes) -> bytes:
    """An event of the model as Bedrock sends it, padding included."""
    padding = "abcdefghijklmnopqrstuvwxyz"[: len(event) % 26]
    payload = json.dumps({"bytes": base64.b64encode(event).decode(), "p": padding}).encode()
    return frame({":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, payload)


def exception(name: str) -> bytes:
    """A frame that ends a stream with an error."""
    payload = json.dumps({"message": f"it was {name}"}).encode()
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return frame(headers, payload)


class Clouds(ThreadingHTTPServer):
    """Serves until `shutdown`. `calls` are the bodies that came; `tokens` those that were given out."""

    daemon_threads = True

    def __init__(self, sandbox: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.sandbox = sandbox
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.calls: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.wrongs: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Clouds

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/token":
            return self._token(body)
        path = self.path.partition("?")[0]
        if found := re.fullmatch(r"/model/([^/]+)/(invoke|invoke-with-response-stream)", path):
            return self._bedrock(unquote(found[1]), found[2] != "invoke", body)
        if found := re.fullmatch(
            f"{LOCATION}/publishers/anthropic/models/([^/:]+):(rawPredict|streamRawPredict)", path
        ):
            return self._vertex(unquote(found[1]), body)
        return self._send(404, {"message": f"no such path: {self.path}"})

    # Amazon's.

    def _bedrock(self, model: str, streams: bool, body: bytes) -> None:
        if self.headers.get("authorization") != "Bearer bedrock-api-key" and not self._is_signed(body):
            return self._refuse(403, "InvalidSignatureException", "the signature does not match")
        asked = json.loads(body)
        self.server.calls.append({**asked, "MODEL": model})
        wrong = {"model", "stream"} & asked.keys() or asked.get("anthropic_version") != "bedrock-2023-05-31"
        if wrong or not model.startswith("arn:aws:bedrock:eu-central-1::foundation-model/anthropic."):
            self.server.wrongs.append(f"{model}: {sorted(asked)}")
            return self._refuse(400, "ValidationException", "extraneous key")
        if found := re.search(rb"fail:(\w+)", body):
            return self._refuse(STATUSES[found[1].decode()], found[1].decode(), "as you wish")
        own = {name: value for name, value in asked.items() if not name.startswith("anthropic_")}
        status, answer = self._ask("messages", own | {"model": model.rpartition(".")[2], "stream": streams})
        if status != 200 or not streams:
            return self._send(status, answer, {"x-amzn-requestid": "aws-1"})
        return self._stream([event for event in re.findall(rb"data: (.*)", answer) if event], body)

    def _stream(self, events: list[bytes], body: bytes) -> None:
        frames = [chunk(event) for event in events]
        if found := re.search(rb"raise:(\w+)", body):
            frames[3:] = [exception(found[1].decode())]
        if b"corrupt" in body:
            frames[3] = frames[3][:-1] + bytes([frames[3][-1] ^ 1])
        data = b"".join(frames)
        if b"cut" in body:
            data = data[: len(b"".join(frames[:3])) + 40]
        self.send_response(200)
        self.send_header("content-type", "application/vnd.amazon.eventstream")
        self.send_header("x-amzn-requestid", "aws-1")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        while data:
            piece, data = data[: (size := random.randrange(1, 400))], data[size:]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def _is_signed(self, body: bytes) -> bool:
        """Sign it again, with what it says was signed."""
        said = re.fullmatch(
            rf"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/\d+/{REGION}/bedrock/aws4_request, "
            r"SignedHeaders=(\S+), Signature=(\w+)",
            self.headers.get("authorization", ""),
        )
        if said is None:
            return False
        request = AWSRequest(
            "POST", self.server.url + self.path, {name: self.headers[name] for name in said[1].split(";")}, body
        )
        request.context["timestamp"] = self.headers["x-amz-date"]
        signer = botocore.auth.SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        return bool(signer.signature(text, request) == said[2])

    def _refuse(self, status: int, name: str, message: str) -> None:
        self._send(status, {"message": message}, {"x-amzn-errortype": f"{name}:http://internal.amazon.com/"})

    # Google's.

    def _token(self, body: bytes) -> None:
        if "assertion" not in parse_qs(body.decode()):
            return self._send(400, {"error": "invalid_grant"})
        self.server.tokens.append(f"ya29.secret-token-{len(self.server.tokens)}")
        # The library takes a token for ended 225 seconds before its end. The first three are those of three processes.
        lives = 228 if len(self.server.tokens) <= 3 else 3_600
        return self._send(200, {"access_token": self.server.tokens[-1], "expires_in": lives, "token_type": "Bearer"})

    def _vertex(self, model: str, body: bytes) -> None:
        asked = json.loads(body)
        token = self.headers.get("authorization", "").removeprefix("Bearer ")
        self.server.calls.append({**asked, "MODEL": model, "BETAS": self.headers.get("anthropic-beta"), "TOKEN": token})
        if token not in self.server.tokens:
            error = {"code": 401, "message": "Request had invalid credentials.", "status": "UNAUTHENTICATED"}
            return self._send(401, [{"error": error}])
        if asked.pop("anthropic_version", "") != "vertex-2023-10-16" or ("model" in asked) != (model == "count-tokens"):
            self.server.wrongs.append(f"{model}: {sorted(asked)}")
        if b"fail:quota" in body:
            return self._send(429, [{"error": {"code": 429, "message": "Quota exceeded", "status": "X"}}])
        if model == "count-tokens":
            return self._send(*self._ask("messages/count_tokens", asked))
        status, answer = self._ask("messages", asked | {"model": model.partition("@")[0]})
        return self._send(status, answer, {"content-type": "text/event-stream"} if asked.get("stream") else {})

    # Both.

    def _ask(self, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        """What the sandbox answers, with an advisor's tokens where the prompt wants one."""
        headers = {"x-api-key": "sk-cloud", "anthropic-version": "2023-06-01", "content-type": "application/json"}
        url = f"{self.server.sandbox}/anthropic/v1/{path}"
        body.pop("tools", None)
        try:
            with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers)) as answer:
                status, said = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, said = error.code, error.read()
        if "advise" in json.dumps(body):
            told = b'"usage":{"iterations":[%b],' % json.dumps(ADVICE).encode()
            said = re.sub(rb'("type":"message_delta".*|"type":"message".*)"usage":\{', rb"\1" + told, said)
        return status, said

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in ({"content-type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

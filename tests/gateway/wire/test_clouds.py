"""Claude on Bedrock and on Vertex: Anthropic's client through the gateway, against a server of each cloud's wire."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pytest

pytest.importorskip("botocore", reason="the extra `bedrock` is not installed")
pytest.importorskip("google.auth", reason="the extra `vertex` is not installed")

from tests.gateway.wire import clouds
from tests.gateway.wire.clouds import Clouds
from tests.gateway.wire.held import held
from tests.gateway.wire.running import CONTRACT, House, started

OPUS, HAIKU, SONNET = "claude-opus-4-7", "claude-haiku-4-5", "claude-sonnet-4-6"
ADVISOR = {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-4-5", "max_uses": 1}
CONFIG = """
[gateway]
port = 0

[vendors.bedrock]
wire = "bedrock"
base_url = "{clouds}"
aws_region = "eu-central-1"
access = "bedrock"
region = "eu"
models = {{claude-opus-4-7 = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-opus-4-7"}}

[vendors.keyed]
wire = "bedrock"
base_url = "{clouds}"
aws_region = "eu-central-1"
access = "bedrock"
region = "eu"
key = {{file = "bedrock.key"}}
models = {{claude-haiku-4-5 = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-haiku-4-5"}}

[vendors.vertex]
wire = "vertex"
base_url = "{clouds}{location}"
access = "vertex"
region = "us"
betas = ["context-1m-2025-08-07"]
models = {{claude-sonnet-4-6 = "claude-sonnet-4-6@20260115"}}

[[contracts]]
file = "bedrock.yaml"
vendor = "bedrock"

[[contracts]]
file = "keyed.yaml"
vendor = "keyed"

[[contracts]]
file = "vertex.yaml"
vendor = "vertex"
"""


@dataclass
class CloudHouse(House):
    """A gateway before both clouds, one model on each, and a second on Bedrock by an API key."""

    clouds: Clouds = field(init=False)

    def open(self) -> CloudHouse:
        arguments = ["sandbox", "--port", "0", "--meter", str(self.meter)]
        self.sandbox = started(self.folder, "sandbox", arguments, r"(http://[0-9.:]+)/openai/v1")
        self.clouds = Clouds(self.sandbox.url)
        for name, models, access in (
            ("bedrock", "claude-opus-4-*", "bedrock"), ("keyed", HAIKU, "bedrock"), ("vertex", SONNET, "vertex")
        ):  # fmt: skip
            text = CONTRACT.format(name=f"acme-{name}", vendor="anthropic", models=models)
            (self.folder / f"{name}.yaml").write_text(text.replace("access: [api]", f"access: [{access}]"))
        (self.folder / "bedrock.key").write_text("bedrock-api-key")
        (self.folder / "google.json").write_text(json.dumps(_account(self.clouds.url)))
        self.config.write_text(CONFIG.format(clouds=self.clouds.url, location=clouds.LOCATION))
        self.serve()
        return self

    def close(self) -> None:
        super().close()
        self.clouds.shutdown()
        self.clouds.server_close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudHouse]:
    folder = tmp_path_factory.mktemp("clouds")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", clouds.ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", clouds.SECRET_KEY)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "google.json"))
        opened = CloudHouse(folder).open()
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def key(house: CloudHouse) -> str:
    return house.key()


@pytest.fixture
def claude(house: CloudHouse, key: str) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", [OPUS, HAIKU, SONNET])
def test_a_message_whole_and_streamed(house: CloudHouse, claude: Any, model: str) -> None:
    answer = claude.messages.with_raw_response.create(model=model, max_tokens=20, messages=_said("hello"))
    message = answer.parse()
    prices = {OPUS: (5, 25), HAIKU: (1, 5), SONNET: (3, 15)}[model]
    # USD a million tokens, 10 % more in a region of a cloud, less 15 %
    pico = (message.usage.input_tokens * prices[0] + 20 * prices[1]) * 935_000
    assert (20, "max_tokens") == (message.usage.output_tokens, message.stop_reason)
    assert pico == _pico(answer.headers["offtake-cost"])
    with claude.messages.stream(model=model, max_tokens=20, messages=_said("hello")) as stream:
        final = stream.get_final_message()
    assert (20, message.content[0].text) == (final.usage.output_tokens, final.content[0].text)
    assert [] == house.clouds.wrongs


def test_betas_stand_where_each_cloud_reads_them(house: CloudHouse, claude: Any) -> None:
    asked: Any = {"max_tokens": 5, "messages": _said("hello"), "betas": ["context-1m-2025-08-07", "other-2026-01-01"]}
    claude.beta.messages.create(model=OPUS, **asked)
    answer = claude.beta.messages.with_raw_response.create(model=SONNET, **asked)
    assert "anthropic-beta" in answer.headers["offtake-edits"]
    bedrock, vertex = house.clouds.calls[-2:]
    assert ["context-1m-2025-08-07", "other-2026-01-01"] == bedrock["anthropic_beta"]
    assert "context-1m-2025-08-07" == vertex["BETAS"]  # the one that its table names


def test_tokens_are_counted_where_the_cloud_counts_them(claude: Any) -> None:
    assert claude.messages.count_tokens(model=SONNET, messages=_said("hello")).input_tokens > 0
    with pytest.raises(anthropic.BadRequestError, match="G108"):
        claude.messages.count_tokens(model=OPUS, messages=_said("hello"))


def test_openais_client_reaches_bedrock(house: CloudHouse, key: str) -> None:
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as gpt:
        asked: Any = {"model": OPUS, "max_tokens": 20, "messages": _said("hi"), "stream": True}
        chunks: list[Any] = list(gpt.chat.completions.create(**asked))
    assert "length" == [chunk for chunk in chunks if chunk.choices][-1].choices[0].finish_reason


@pytest.mark.parametrize(
    ("model", "prompt", "error", "match"),
    [
        (OPUS, "fail:ThrottlingException", anthropic.RateLimitError, "rate_limit_error.*as you wish"),
        (OPUS, "fail:ModelErrorException", anthropic.InternalServerError, "api_error.*as you wish"),
        (OPUS, "fail:AccessDeniedException", anthropic.PermissionDeniedError, "permission_error.*as you wish"),
        (SONNET, "fail:quota", anthropic.RateLimitError, "rate_limit_error.*Quota exceeded"),
    ],
)
def test_errors_of_clouds_are_anthropics(claude: Any, model: str, prompt: str, error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        _patiently(lambda: claude.messages.create(model=model, max_tokens=20, messages=_said(prompt)))


@pytest.mark.parametrize(
    ("prompt", "match", "outcome"),
    [
        ("raise:modelStreamErrorException", "api_error", "http_5xx"),
        ("raise:throttlingException", "rate_limit_error", "client_error"),
        ("corrupt", "G602", "vendor_truncation"),
        ("cut", "G602", "vendor_truncation"),
    ],
)
def test_a_stream_that_ends_early(house: CloudHouse, claude: Any, prompt: str, match: str, outcome: str) -> None:
    asked: Any = {"model": OPUS, "max_tokens": 40, "messages": _said(prompt), "stream": True}
    with pytest.raises(anthropic.APIStatusError, match=match):
        list(_patiently(lambda: claude.messages.create(**asked)))
    last = house.exported()["usage"][-1]
    assert (outcome, False) == (last["outcome"], last["usage_known"])


@pytest.mark.parametrize("streams", [False, True])
def test_an_advisor_is_booked_as_a_request_of_its_own(house: CloudHouse, streams: bool) -> None:
    key = house.key(f"advised-{streams}", "--budget", "100USD/month")
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as claude:
        asked: Any = {
            "model": OPUS,
            "max_tokens": 20,
            "messages": _said("advise"),
            "stream": streams,
            "tools": [ADVISOR],
        }
        answer = claude.messages.with_raw_response.create(**asked)
        if streams:
            list(answer.parse())
    exported = house.exported()
    id = answer.headers["offtake-request-id"]
    own, other = [row for row in exported["usage"] if row["id"].startswith(id)]
    assert (id, f"{id}.m1") == (own["id"], other["id"])
    assert ("claude-opus-4-5", {"input_tokens": 700, "output_tokens": 40}) == (other["model"], other["quantities"])
    costs = {row["id"]: _pico(row["cost"]) for row in exported["settlements"]}
    assert (700 * 5 + 40 * 25) * 935_000 == costs[other["id"]]
    if not streams:  # whose headers go before anything is known
        assert costs[own["id"]] + costs[other["id"]] == _pico(answer.headers["offtake-cost"])
    assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))


def test_a_batch_runs_where_a_cloud_has_none(house: CloudHouse, claude: Any) -> None:
    """One signed call a line; an advisor's tokens are billed there too."""
    plain = {"model": OPUS, "max_tokens": 20, "messages": _said("hello")}
    advised = plain | {"messages": _said("advise"), "tools": [ADVISOR]}
    lines: Any = [{"custom_id": "a", "params": plain}, {"custom_id": "b", "params": advised}]
    batch = claude.messages.batches.create(requests=lines)
    until = time.monotonic() + 40
    while claude.messages.batches.retrieve(batch.id).processing_status != "ended" and time.monotonic() < until:
        time.sleep(0.2)
    found = {row.custom_id: row.result for row in claude.messages.batches.results(batch.id)}
    assert ["succeeded"] * 2 == [found[name].type for name in "ab"]
    booked = [row for row in house.exported()["usage"] if row["id"].startswith(batch.id)]
    assert [OPUS, OPUS, "claude-opus-4-5"] == sorted((row["model"] for row in booked), reverse=True)
    assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))


def test_tokens_are_renewed_before_they_end(house: CloudHouse, claude: Any) -> None:
    """The first tokens of the three processes end within seconds; a call after that bears another one."""
    until = time.monotonic() + 60
    while len(house.clouds.tokens) < 5 and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(0.5)
    assert 20 == claude.messages.create(model=SONNET, max_tokens=20, messages=_said("hi")).usage.output_tokens
    assert house.clouds.calls[-1]["TOKEN"] in house.clouds.tokens[3:]


def test_no_secret_is_written_anywhere(house: CloudHouse) -> None:
    for file in house.folder.rglob("*"):
        if file.is_file() and file.name not in ("bedrock.key", "google.json", "meter.jsonl"):
            content = held(file)
            for secret in (clouds.SECRET_KEY, "secret-token", "bedrock-api-key", "PRIVATE KEY"):
                assert secret.encode() not in content, (file, secret)


def _patiently(call: Callable[[], Any], seconds: float = 20) -> Any:
    """Call until the gateway no longer leaves the vendor alone for what the test before has done to it."""
    until = time.monotonic() + seconds
    while True:
        try:
            return call()
        except anthropic.OverloadedError as error:
            if time.monotonic() > until or "G512" not in str(error):
                raise
        time.sleep(0.2)


def _pico(dollars: str) -> int:
    return int(Decimal(dollars.removesuffix(" USD")).scaleb(12))


def _said(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def _account(url: str) -> dict[str, str]:
    """A service account of Google's, with a key that nobody else has."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {
        "type": "service_account", "project_id": "acme", "private_key_id": "1", "private_key": private.decode(),
        "client_email": "gateway@acme.iam.gserviceaccount.com", "client_id": "1", "token_uri": f"{url}/token",
    }  # fmt: skip

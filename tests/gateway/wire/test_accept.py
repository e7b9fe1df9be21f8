"""`offtake accept`: the buyer's suite through the gateway, a signed result that admits, none where no answer came."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offtake.contract.schema.models import Admission
from offtake.operations.signatures import is_signed
from offtake.store.ledger.keys import server_secret
from offtake.values.yaml_text import read_yaml
from tests.gateway.wire.load import post
from tests.gateway.wire.running import CONTRACT, House

SUITE = """- {prompt: "Say anything", matches: "[a-z]+"}
- {prompt: "Say more", matches: "."}
- {prompt: "Say what nobody says", expected: "qzxqzx"}
"""


def test_a_suite_is_run_through_the_gateway_and_signed(
    house: House, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFTAKE_GATEWAY_KEY", key)
    suite = tmp_path / "support.yaml"
    suite.write_text(SUITE)
    arguments = ("--suite", str(suite), "--url", house.gateway.url, "--config", str(house.config))
    printed = house.offtake("accept", "claude-opus-4-7", *arguments)
    document = json.loads((tmp_path / "support.claude-opus-4-7.json").read_text())
    secret = server_secret(house.folder / "offtake.db")
    document.pop("schema_version")

    assert is_signed(document, secret)
    assert not is_signed(document | {"passed": 3}, secret)
    assert (2, 3, "66.66%") == (document["passed"], document["tasks"], document["score"])
    assert hashlib.sha256(suite.read_bytes()).hexdigest() == document["suite_sha256"]
    lines: Any = read_yaml(printed, "printed")[0]
    assert ["claude-opus-4-7"] == [Admission(**line).model for line in lines]


@pytest.mark.parametrize(
    ("name", "text", "model", "said"),
    [
        ("a.yaml", "- {prompt: hi}", "gpt-5.4", "L727"),
        ("a.yaml", "- {prompt: hi, matches: '('}", "gpt-5.4", "L727"),
        ("a.csv", "prompt,expected\n", "gpt-5.4", "L727"),
        ("a.csv", "prompt,expected\n\udcff,x\n", "gpt-5.4", "L727"),
        ("a.csv", "prompt,expected\nhi,there\n", "gpt-nonsense", "G710"),
    ],
)
def test_a_wrong_suite_and_a_model_that_does_not_answer_sign_nothing(
    house: House, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, model: str, said: str
) -> None:
    monkeypatch.setenv("OFFTAKE_GATEWAY_KEY", key)
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    arguments = ("--suite", str(tmp_path / name), "--url", house.gateway.url, "--config", str(house.config))
    with pytest.raises(AssertionError, match=said):
        house.offtake("accept", model, *arguments)
    assert [name] == [path.name for path in tmp_path.iterdir()]


GATE = """models:
  evaluation:
    - {{suite: support, floor: 90%, confidence: 95%, workloads: [support], admitted: []}}
"""
BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("accepted"), "workers = 2", contract=CONTRACT + GATE).open()
    yield opened
    opened.close()


def told(house: House, key: str, expected: str) -> bool:
    """Whether within ten seconds a dozen connections in a row are told this code ("": served): both workers know."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        answers = [post(house.gateway.url, key, BODY) for _ in range(12)]
        if all((expected in body.decode()) if expected else status == 200 for status, _, body in answers):
            return True
        time.sleep(0.2)
    return False


def test_a_model_that_passes_is_served_without_a_change_of_the_contract(
    gated: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract = gated.folder / "openai.yaml"
    before = contract.read_bytes()
    key = gated.key("support", "--workload", "support")
    suite = gated.folder / "support.yaml"
    suite.write_text('- {prompt: "Say anything", matches: "."}\n' * 30)
    arguments = ("gpt-5.4", "--suite", str(suite), "--url", gated.gateway.url, "--config", str(gated.config))
    assert told(gated, key, "G331")
    monkeypatch.setenv("OFFTAKE_GATEWAY_KEY", key)
    with pytest.raises(AssertionError, match="workload no suite decides for"):
        gated.offtake("accept", *arguments)
    monkeypatch.setenv("OFFTAKE_GATEWAY_KEY", gated.key("acceptance", "--workload", "acceptance"))
    gated.offtake("accept", *arguments)

    assert told(gated, key, "")
    assert before == contract.read_bytes()
    (result,) = (gated.folder / "openai.accepted").iterdir()
    assert "support.gpt-5.4.json" == result.name
    assert not (gated.folder / "anthropic.accepted").exists()

    result.write_text(result.read_text().replace('"passed": 30', '"passed": 29'))
    assert told(gated, key, "G331")
    log = (gated.folder / "gateway-0.log").read_text()
    assert 1 == log.count("G711")
    assert "changed since it was signed" in log

    gated.offtake("accept", *arguments)  # anew
    assert told(gated, key, "")
    gated.offtake(
        "policy", "withdraw", "support", "gpt-5.4", "--by", "Ana", "--why", "drift", "--config", "offtake.toml"
    )
    assert told(gated, key, "G332")

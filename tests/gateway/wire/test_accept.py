"""`offtake accept`: the buyer's suite through the gateway, signed, and no result where a task has no answer."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from offtake.contract.schema.models import Admission
from offtake.operations.signatures import is_signed
from offtake.store.ledger.keys import server_secret
from offtake.values.yaml_text import read_yaml
from tests.gateway.wire.running import House

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
        ("a.csv", "prompt,expected\nhi,there\n", "gpt-nonsense", "G707"),
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

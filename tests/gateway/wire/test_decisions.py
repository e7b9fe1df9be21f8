"""A suspension acts on every worker within a second, outlives a restart, and ends when a person lifts it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.gateway.wire.load import post
from tests.gateway.wire.running import CONTRACT, House

SUITE = """models:
  evaluation:
    - suite: support
      floor: 90%
      confidence: 95%
      workloads: [support]
      admitted: [{{model: gpt-5.4, score: 95%, tasks: 200, until: 2027-12-01}}]
"""
BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("decisions"), "workers = 2", contract=CONTRACT + SUITE).open()
    yield opened
    opened.close()


def answers(house: House, key: str) -> set[tuple[int, str]]:
    """What a dozen connections are told, so that both workers are asked."""
    found = set()
    for _ in range(12):
        status, _, body = post(house.gateway.url, key, BODY)
        found.add((status, "" if status == 200 else json.loads(body)["error"]["message"]))
    return found


def decide(house: House, *arguments: str) -> None:
    house.offtake("policy", *arguments, "--config", str(house.config))
    time.sleep(1.5)


def test_a_model_is_suspended_and_lifted_while_the_gateway_runs(pair: House) -> None:
    key = pair.key("suspended")
    decide(pair, "suspend", "acme-openai", "gpt-5.4", "--event", "bypass_safety", "--by", "Ana")
    refused = answers(pair, key)
    pair.gateway.kill()
    pair.serve()
    after_death = answers(pair, key)
    decide(pair, "lift", "acme-openai", "gpt-5.4", "--by", "Ben", "--why", "reviewed")

    assert {403} == {status for status, _ in refused}
    assert all("bypass_safety" in message and "G321" in message for _, message in refused)
    assert refused == after_death, "a restart lifts nothing"
    assert {(200, "")} == answers(pair, key)
    shown = json.loads(pair.offtake("policy", "list", "--all", "--config", str(pair.config), "--format", "json"))
    assert [("suspend", "Ana"), ("lift", "Ben")] == [(each["kind"], each["by"]) for each in shown["decisions"]]
    pair.offtake("ledger", "verify", "--config", str(pair.config))


def test_a_withdrawn_admission_ends_at_once_for_its_workload(pair: House) -> None:
    key, other = pair.key("support", "--workload", "support"), pair.key("else", "--workload", "code")
    assert {(200, "")} == answers(pair, key)
    decide(pair, "withdraw", "support", "GPT 5.4", "--by", "Ana", "--why", "40 of 50 live samples passed")
    refused, others = answers(pair, key), answers(pair, other)
    decide(pair, "readmit", "support", "gpt-5.4", "--by", "Ana", "--why", "fixed")

    assert all("G332" in message and "40 of 50" in message for _, message in refused)
    assert {(200, "")} == others
    assert {(200, "")} == answers(pair, key)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("suspend", "acme-opnai", "gpt-5.4", "--event", "x", "--by", "Ana"), "acme-openai"),
        (("suspend", "acme-openai", "gtp-5*", "--event", "x", "--by", "Ana"), "no model"),
        (("suspend", "acme-openai", "gpt-5.4", "--event", " ", "--by", "Ana"), "who and why"),
        (("lift", "acme-openai", "gpt-4o", "--why", "x", "--by", "Ana"), "nothing to lift"),
        (("withdraw", "suport", "gpt-5.4", "--why", "x", "--by", "Ana"), "support"),
    ],
)
def test_what_would_stop_nothing_is_refused(pair: House, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(AssertionError, match=said):  # what it says on stderr, because its code is not 0
        pair.offtake("policy", *arguments, "--config", str(pair.config))

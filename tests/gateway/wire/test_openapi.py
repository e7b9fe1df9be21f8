"""Requests made up from our own OpenAPI description: never a 5xx, and no answer that the description does not know."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from hypothesis import HealthCheck, Phase, settings

from offtake.gateway.openapi import description
from tests.gateway.wire.running import House
from tests.gateway.wire.test_batches_anthropic import CLAUDE, request
from tests.gateway.wire.test_batches_openai import chat_line, upload

schemathesis = pytest.importorskip("schemathesis")
schema = schemathesis.openapi.from_dict(description())
CHECKS = (
    schemathesis.checks.not_a_server_error,
    schemathesis.specs.openapi.checks.status_code_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.response_schema_conformance,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("house"), more='\n[[non_urgent]]\nworkload = "*"\n').open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def made(house: House, key: str) -> dict[str, str]:
    """A file, a batch and a batch of messages that the made-up requests may meet, by the paths below which they are."""
    with (
        openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as gpt,
        anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as claude,
    ):
        file = upload(gpt, [chat_line("a")])
        batch = gpt.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        later = gpt.chat.completions.with_raw_response.create(
            model="gpt-5.4", messages=[{"role": "user", "content": "hello"}], extra_headers={"Prefer": "respond-async"}
        ).http_response.json()
        other = claude.messages.batches.create(requests=[request("a")])
        return {
            "/v1/deferred": later["id"],
            "/v1/files": file.id,
            "/v1/batches": batch.id,
            "/v1/messages/batches": other.id,
        }


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=20, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_made_up_requests_meet_the_description(case: Any, house: House, key: str, made: dict[str, str]) -> None:
    _be_real(case, made)
    answer = case.call(base_url=house.gateway.url, headers={"authorization": f"Bearer {key}"})
    case.validate_response(answer, checks=CHECKS)


def _be_real(case: Any, made: dict[str, str]) -> None:
    """Put names of what is there into some of the requests: made-up ones alone would all end at their names."""
    body, parameters = case.body, case.path_parameters
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = {0: "gpt-5.4", 1: CLAUDE}.get(len(body["model"]) % 3, body["model"])
    if isinstance(body, dict) and "input_file_id" in body and len(str(body)) % 2:
        body["input_file_id"] = made["/v1/files"]
    for each in (body.get("requests") or ()) if isinstance(body, dict) else ():
        with contextlib.suppress(TypeError, KeyError):
            each["params"]["model"] = CLAUDE
    if isinstance(parameters, dict) and isinstance(parameters.get("id"), str) and len(parameters["id"]) % 2:
        parameters["id"] = next(id for path, id in made.items() if case.path.startswith(path))

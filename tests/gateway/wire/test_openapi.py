"""Requests made up from our own OpenAPI description: never a 5xx, and no answer that the description does not know."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

from offtake.gateway.openapi import description
from tests.gateway.wire.running import House

schemathesis = pytest.importorskip("schemathesis")
schema = schemathesis.openapi.from_dict(description())
CHECKS = (
    schemathesis.checks.not_a_server_error,
    schemathesis.specs.openapi.checks.status_code_conformance,
    schemathesis.specs.openapi.checks.content_type_conformance,
    schemathesis.specs.openapi.checks.response_schema_conformance,
)


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=20, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_made_up_requests_meet_the_description(case: Any, house: House, key: str) -> None:
    body = case.body
    if isinstance(body, dict) and isinstance(body.get("model"), str):
        body["model"] = {0: "gpt-5.4", 1: "claude-opus-4-7"}.get(len(body["model"]) % 3, body["model"])
    answer = case.call(base_url=house.gateway.url, headers={"authorization": f"Bearer {key}"})
    case.validate_response(answer, checks=CHECKS)

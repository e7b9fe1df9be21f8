"""The page of the gateway's headers and refusals says what the source does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from offtake.gateway import headers
from offtake.gateway.ask import Refusal
from offtake.gateway.dialects import BY_NAME
from offtake.gateway.dialects.refusals import KINDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "gateway-headers.md").read_text()


def test_the_page_has_every_header() -> None:
    used = {value.decode() for value in vars(headers).values() if isinstance(value, bytes)}

    assert used == set(re.findall(r"`(offtake-[a-z-]+)[`:]", PAGE)) - {"offtake-cost 0"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_has_every_refusal(kind: str) -> None:
    refusal = Refusal(kind, "G000", "no", retry_after_seconds=5)
    openai_status, _, openai = BY_NAME["openai_chat"].refuse(refusal)
    anthropic_status, _, anthropic = BY_NAME["anthropic_messages"].refuse(refusal)
    error = json.loads(openai)["error"]

    row = rf"\| {openai_status} `(?:{error['code']}|{error['type']})`[^|]*"
    row += rf"\| {anthropic_status} `{json.loads(anthropic)['error']['type']}`"
    assert re.search(row, PAGE)

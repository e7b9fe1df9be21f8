"""The sandbox's invoice, priced from the package alone, is the one that our rating gives for its meter."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from click.testing import CliRunner

from offtake.cli.main import offtake
from offtake.sandbox.invoice import invoice_of, read_meter
from tests.sandbox.conftest import Running

Start = Callable[..., Running]
CONTRACT = """
contract: sandbox
buyer: Example
vendor: openai
term: {from: 2026-11-01, until: 2036-11-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime, batch, flex, priority], access: [api]}
prices: {basis: list}
"""


def line(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "req_1", "used_at": "2026-11-20T10:00:00Z", "vendor": "anthropic", "model": "claude-opus-4-7",
        "channel": "realtime", "region": "global", "quantities": {"input_tokens": 1_000_000},
        "context_tokens": 1_000_000,
    }  # fmt: skip
    return plain | changes


def test_each_class_has_its_price() -> None:
    classes = {
        "input_tokens": 1_000_000,
        "cache_read_tokens": 1_000_000,
        "cache_write_5m_tokens": 1_000_000,
        "cache_write_1h_tokens": 1_000_000,
        "output_tokens": 1_000_000,
        "reasoning_tokens": 500_000,
        "web_searches": 1000,
    }

    invoice = invoice_of([line(quantities=classes)])

    prices = {item.meter: item.unit_price * 1_000_000 for item in invoice.items}
    expected = {"input_tokens": 5, "cache_read_tokens": Decimal("0.5"), "cache_write_5m_tokens": Decimal("6.25"),
                "cache_write_1h_tokens": 10, "output_tokens": 25, "web_searches": 10_000}  # fmt: skip
    assert expected == prices
    assert 5 + Decimal("0.5") + Decimal("6.25") + 10 + 25 + 10 == invoice.total


def test_channel_region_context_and_discount_change_it() -> None:
    def total(*discounts: tuple[str, Decimal], **changes: Any) -> Decimal:
        return invoice_of([line(**changes)], discounts).total

    assert Decimal("2.5") == total(channel="batch")
    assert Decimal("5.5") == total(region="us")
    assert Decimal(5) == total(vendor="openai", model="gpt-5.4")  # over 272,000 the price doubles
    assert Decimal(4) == total(("claude-*", Decimal("0.2")), ("*", Decimal("0.5")))


def test_what_is_not_listed_is_not_on_it_and_is_named() -> None:
    invoice = invoice_of([line(vendor="openai", model="gpt-4o", channel="flex")])

    assert ("gpt-4o input_tokens (flex)",) == invoice.unpriced
    assert 0 == invoice.total


def test_mixed_traffic_compares_without_a_difference(sandbox: Start, tmp_path: Path) -> None:
    running = sandbox("faults: [{fault: server_error, when: {every: 9}}, {fault: no_usage, when: {every: 7}}]")
    _traffic(running, 60)
    bill, contract = tmp_path / "bill.csv", tmp_path / "contract.yaml"
    contract.write_text(CONTRACT.lstrip())

    made = CliRunner().invoke(offtake, ["sandbox", "--invoice", str(running.meter), "--out", str(bill)])
    asked = ["compare", str(running.meter), "--invoice", str(bill), "--contract", str(contract), "--format", "json"]
    compared = CliRunner().invoke(offtake, asked)

    assert 0 == made.exit_code, made.output
    document = json.loads(compared.stdout)
    assert [] == document["differences"]
    assert len(running.lines()) == document["control"]["ours"]["records"] > 40
    total = invoice_of(read_meter(running.meter)).total
    assert total == Decimal(document["theirs"]) == Decimal(document["ours"]) > 0


def _traffic(running: Running, number: int) -> None:
    dice = random.Random(4)
    claude, gpt = running.anthropic(), running.openai()
    for _ in range(number):
        text = "lorem ipsum " * dice.choice([10, 800, 1200])
        asked = {"messages": [{"role": "user", "content": f"[[sandbox output={dice.randint(1, 300)}]]"}]}
        try:
            if dice.random() < 0.5:
                keep = {"type": "ephemeral", "ttl": dice.choice(["5m", "1h"])}
                system = [{"type": "text", "text": text, "cache_control": keep}]
                model = dice.choice(["claude-opus-4-7", "claude-haiku-4-5"])
                region = dice.choice(["us", "global"])
                claude.messages.create(model=model, max_tokens=200, system=system, inference_geo=region, **asked)
            else:
                asked["messages"].insert(0, {"role": "system", "content": text})
                tier = dice.choice(["default", "priority"])
                gpt.chat.completions.create(model=dice.choice(["gpt-5.4", "gpt-5.6"]), service_tier=tier, **asked)
        except (anthropic.InternalServerError, openai.InternalServerError):
            continue


@pytest.mark.parametrize(
    ("text", "code"), [("{", "U108"), ("[]", "U109"), ('{"used_at": "x"}', "U109"), ("\xff", "U108")]
)
def test_a_file_that_is_no_meter_is_refused_with_its_line(tmp_path: Path, text: str, code: str) -> None:
    path = tmp_path / "meter.jsonl"
    path.write_text(json.dumps(line()) + "\n" + text + "\n", encoding="latin-1")

    made = CliRunner().invoke(offtake, ["sandbox", "--invoice", str(path)])

    assert code in str(made.exception)
    assert "meter.jsonl:2" in str(made.exception)

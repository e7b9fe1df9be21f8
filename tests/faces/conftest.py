"""The command line as a function, and a small contract with usage to try it on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from offtake.cli.main import run
from offtake.operations.accepted_results import accepted_folder
from offtake.operations.contracts import load_contract
from offtake.operations.signatures import signed
from offtake.store.ledger.keys import server_secret

CONTRACT = """\
contract: small
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
documents: {order_form: "Order Form 1"}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: claude-*, share: 15%, source: order_form §2}], batch: {share: 50%}, cache: catalog}
fees: {platform: 100 USD / month}
failed_requests:
  {http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed, client_error: billed}
"""
SUITE = "models: {evaluation: [{suite: support, floor: 90%, confidence: 95%, admitted: []}]}\n"
HEADER = "id,used_at,model,workload,tag:team,channel,outcome,input_tokens,cache_read_tokens,output_tokens\n"
USAGE = (
    HEADER
    + """\
a1,2026-01-05T12:00:00Z,claude-opus-4.7,chat,search,realtime,ok,1000000,500000,200000
a2,2026-01-06T12:00:00Z,claude-opus-4.7,nightly,search,batch,ok,1000000,,200000
a3,2026-02-06T12:00:00Z,claude-haiku-4-5,chat,ads,realtime,http_5xx,1000000,,200000
a4,2026-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,1000000,,200000
"""
)


class Done(NamedTuple):
    """What a command gave."""

    code: int
    out: str
    err: str


Offtake = Callable[..., Done]


@pytest.fixture
def offtake(capsys: pytest.CaptureFixture[str]) -> Offtake:
    """Run a command line; a traceback is a failure."""

    def call(*arguments: object) -> Done:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Done(code, captured.out, captured.err)

    return call


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    """A contract with one discount and one fee."""
    path = tmp_path / "small.yaml"
    path.write_text(CONTRACT)
    return path


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    """Four requests in two months, one of them failed."""
    path = tmp_path / "usage.csv"
    path.write_text(USAGE)
    return path


def accept(contract: Path, store: Path, model: str, passed: int = 30, *, until: str = "2026-09-01") -> Path:
    """A result of `offtake accept` for the suite `support`, signed with the store's secret, beside a contract."""
    document: dict[str, object] = {
        "model": model, "suite": "support", "contracts": [load_contract(contract).signed.contract], "passed": passed,
        "tasks": 30, "until": until,
    }  # fmt: skip
    file = accepted_folder(contract) / f"support.{model}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(signed(document, server_secret(store))))
    return file

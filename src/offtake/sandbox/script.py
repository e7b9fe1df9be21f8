"""The script of a sandbox: which requests meet which fault, how slow it is, and its rate limits. One YAML file.

    seed: 7
    faults:
      - {fault: rate_limit, when: {every: 10, model: "gpt-*"}, retry_after: 2}
      - {fault: server_error, when: {share: 5%, vendor: anthropic}, status: 500, bill: input}
      - {fault: cut, when: {stream: true, requests: [3, 9]}, after: 4}
    limits:
      - {vendor: openai, model: "*", requests_per_minute: 500, input_tokens_per_minute: 2_000_000}
    latency: {first_token_ms: 300, token_ms: 8, spread: 40%, shape: lognormal}
    batches: {seconds: 2, expire: 10%}
    tokens_per_chunk: 4

The first fault whose `when` fits is met. `when` counts the requests that its other words fit: `requests` are numbers
from 1 on, `first` and `every` are numbers, `share` is a chance drawn with the seed.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from offtake.contract.schema.field_types import Term
from offtake.contract.validate import validate
from offtake.values.errors import ContractError, OutsideError, Place
from offtake.values.units import share
from offtake.values.yaml_text import read_yaml

FaultName = Literal[
    "rate_limit", "quota", "spend_limit", "ramp_limit", "overloaded", "server_error", "timeout", "cut", "stream_error",
    "no_usage", "zero_usage", "wrong_region", "lower_tier", "truncation", "refusal", "slow", "bad_json",
]  # fmt: skip
Bill = Literal["none", "input", "all"]
Share = Annotated[Decimal, BeforeValidator(share)]
Whole = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class When(Term):
    """Which requests: all words must fit."""

    vendor: str = ""
    model: str = "*"
    endpoint: str = "*"
    stream: bool | None = None
    header: dict[str, str] = Field(default_factory=dict)
    requests: list[Positive] = Field(default_factory=list)
    first: Positive | None = None
    every: Positive | None = None
    share: Share | None = None


class FaultRule(Term):
    """A fault and its requests. `after`: chunks of a stream; `bill`: what the vendor bills although it failed."""

    fault: FaultName
    when: When = When()
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after: Whole | None = None
    after: Whole = 1
    delay_ms: Whole = 0
    region: str = ""
    bill: Bill | None = None


class LimitRule(Term):
    """Limits a minute of the models that a pattern names; the first rule that fits counts."""

    vendor: str = ""
    model: str = "*"
    requests_per_minute: Positive | None = None
    input_tokens_per_minute: Positive | None = None
    output_tokens_per_minute: Positive | None = None


class Latency(Term):
    """How slow answers are. Each time is drawn: `even` from its value ± `spread`, `lognormal` around its value as the
    median with `spread` as sigma, `exponential` with its value as the mean.
    """

    first_token_ms: Whole = 0
    token_ms: Whole = 0
    spread: Share = Decimal(0)
    shape: Literal["even", "lognormal", "exponential"] = "even"


class Batches(Term):
    """How long a batch takes before its requests run, and which share of them, the last ones, expires."""

    seconds: Whole = 0
    expire: Share = Decimal(0)


class Script(Term):
    """The whole file; nothing in it is needed."""

    seed: Whole = 0
    faults: list[FaultRule] = Field(default_factory=list)
    limits: list[LimitRule] = Field(default_factory=list)
    latency: Latency = Latency()
    batches: Batches = Batches()
    tokens_per_chunk: Positive = 4


def read_script(path: Path | None) -> Script:
    """The script of a file; ContractError with every problem and its place."""
    if path is None:
        return Script()
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ContractError("C207", "this file is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
    except OSError as error:
        raise OutsideError("O510", f"cannot read {path}", why=str(error.strerror)) from error
    data, places = read_yaml(text, str(path), "nothing has to be scripted: leave --faults out")
    script, findings = validate(Script, data, places, str(path))
    if script is None or findings:
        raise ContractError.of(findings)
    return script

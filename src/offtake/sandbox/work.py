"""The work on one request: its cache, its answer, its usage, and what a fault makes of them. No I/O."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from offtake.sandbox.answer import Answer, answer_to
from offtake.sandbox.anthropic_prompt import web_search_tokens
from offtake.sandbox.ask import Ask
from offtake.sandbox.done import Done, new_id
from offtake.sandbox.faults import Faults
from offtake.sandbox.limits import Limits
from offtake.sandbox.meter import Meter
from offtake.sandbox.models import Models
from offtake.sandbox.prompt_cache import PromptCache
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.script import FaultRule, Script
from offtake.sandbox.tokens import TOKEN_BYTES, tokens_of
from offtake.sandbox.usage import Usage


class Sandbox:
    """What the vendors of one sandbox remember. `now` gives seconds since 1970, and tests may pass their own."""

    def __init__(self, meter: Path | None, script: Script, now: Callable[[], float]) -> None:
        self.now = now
        self.script = script
        self.meter = Meter(meter)
        self.models = Models(now)
        self.cache = PromptCache()
        self.faults = Faults(script)
        self.limits = Limits(script.limits)
        self.dice = random.Random(f"{script.seed}:latency")
        self.remembered: dict[str, list[dict[str, Any]]] = {}  # items of kept responses, for those that follow
        self.responses: dict[str, dict[str, Any]] = {}
        self.files: dict[str, Any] = {}
        self.batches: dict[str, Any] = {}
        self.message_batches: dict[str, Any] = {}

    def input_of(self, ask: Ask) -> Usage:
        """The input by class; what is read from and written to the cache is so from now on."""
        model = ask.model
        if not ask.cache_scope:
            return Usage(fresh=ask.prompt.tokens)
        scope = f"{ask.cache_scope}\0{ask.region}"
        if ask.keep_blocks_seconds:
            seconds = ask.keep_blocks_seconds
            return self.cache.use_blocks(scope, ask.prompt, model.prefix_min, seconds, self.now())
        return self.cache.use_marks(scope, ask.prompt, model.prefix_min, ask.reach, self.now())

    def pause_seconds(self, milliseconds: int) -> float:
        """A time of the latency's distribution, in seconds."""
        if not milliseconds:
            return 0.0
        spread = float(self.script.latency.spread)
        match self.script.latency.shape:
            case "lognormal":
                times = self.dice.lognormvariate(0, spread)
            case "exponential":
                times = self.dice.expovariate(1)
            case _:
                times = self.dice.uniform(max(0.0, 1 - spread), 1 + spread)
        return milliseconds * times / 1000


def check_window(ask: Ask) -> None:
    """VendorError 400 for a prompt beyond the model's context window."""
    tokens, window = ask.prompt.tokens, ask.model.window
    if tokens <= window:
        return
    if ask.model.vendor == "anthropic":
        raise VendorError.invalid(f"prompt is too long: {tokens} tokens > {window} maximum")
    message = f"This model's maximum context length is {window} tokens. However, your messages resulted in {tokens}."
    raise VendorError.invalid(message, param="messages", code="context_length_exceeded")


def do(sandbox: Sandbox, ask: Ask, fault: FaultRule | None, prefix: str, request_id: str) -> Done:
    """The answer and its usage, as the fault has them."""
    usage = sandbox.input_of(ask)
    answers = [answer_to(ask, choice) for choice in range(ask.choices)]
    kind = fault.fault if fault else ""
    for answer in answers:
        if kind in ("truncation", "refusal"):
            _break_off(answer, "cut" if kind == "truncation" else "refusal")
    searches = sum(answer.searches for answer in answers)
    usage.searches = searches
    usage.fresh += web_search_tokens(searches)
    usage.output = sum(answer.tokens for answer in answers)
    usage.reasoning = sum(answer.reasoning for answer in answers)
    said: Usage | None = replace(usage)
    if kind == "no_usage":
        said = None
    elif kind == "zero_usage":
        said = Usage()
    return Done(
        ask=ask,
        answers=answers,
        usage=usage,
        usage_said=said,
        request_id=request_id,
        id=new_id(prefix),
        created=int(sandbox.now()),
        tier=_lower(ask) if kind == "lower_tier" else ask.tier,
        region=_elsewhere(ask, fault) if fault and kind == "wrong_region" else ask.region,
    )


def so_far(usage: Usage, tokens: int) -> Usage:
    """What had been used when so many tokens were out."""
    return replace(usage, output=min(tokens, usage.output), reasoning=min(tokens, usage.reasoning))


def _break_off(answer: Answer, finish: str) -> None:
    """Half of the answer, and no more."""
    answer.tool = answer.arguments = answer.stop = ""
    half = len(answer.text) // TOKEN_BYTES // 2 * TOKEN_BYTES
    answer.text = answer.text[:half]
    answer.finish = finish
    answer.tokens = answer.reasoning + tokens_of(answer.text)


def _lower(ask: Ask) -> str:
    ask.channel = "realtime"
    return "standard" if ask.model.vendor == "anthropic" else "default"


def _elsewhere(ask: Ask, fault: FaultRule) -> str:
    return fault.region or ("us" if ask.region == "global" else "global")

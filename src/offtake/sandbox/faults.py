"""Which fault a request meets, and what each fault is on the wire.

A fault before the work is an error; one after it changes what is said, or how far the saying goes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import cast

from offtake.sandbox.ask import Ask
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.script import Bill, FaultName, FaultRule, Script, When

ERRORS = ("rate_limit", "quota", "spend_limit", "ramp_limit", "overloaded", "server_error", "timeout")
# What is billed where the script does not say.
_BILLED: dict[str, Bill] = dict.fromkeys((*ERRORS, "zero_usage"), "none")
FAULTS = frozenset(FaultName.__args__)  # type: ignore[attr-defined]


class Faults:
    """The rules of a script, each with its count and its dice."""

    def __init__(self, script: Script) -> None:
        self._rules = script.faults
        self._counts = [0] * len(self._rules)
        self._dice = [random.Random(f"{script.seed}:{index}") for index in range(len(self._rules))]

    def choose(self, ask: Ask, headers: Mapping[str, str]) -> FaultRule | None:
        """The fault of this request. Each rule counts the requests that its other words fit."""
        if "fault" in ask.wishes:
            return _wished(ask.wishes)
        chosen: FaultRule | None = None
        for index, rule in enumerate(self._rules):
            if _fits(rule.when, ask, headers):
                self._counts[index] += 1
                met = _counted(rule.when, self._counts[index], self._dice[index])
                chosen = chosen or (rule if met else None)
        return chosen


def _fits(when: When, ask: Ask, headers: Mapping[str, str]) -> bool:
    return (
        when.vendor in ("", ask.model.vendor)
        and fnmatchcase(str(ask.body.get("model")), when.model)
        and fnmatchcase(ask.endpoint, when.endpoint)
        and when.stream in (None, ask.stream)
        and all(headers.get(name.lower()) == value for name, value in when.header.items())
    )


def _counted(when: When, number: int, dice: random.Random) -> bool:
    drawn = when.share is None or dice.random() < when.share
    return (
        drawn
        and (not when.requests or number in when.requests)
        and (when.first is None or number <= when.first)
        and (when.every is None or number % when.every == 0)
    )


def _wished(wishes: Mapping[str, str]) -> FaultRule:
    name, bill = wishes["fault"], wishes.get("bill")
    if name not in FAULTS or bill not in (None, "none", "input", "all"):
        raise VendorError.invalid(f"the sandbox knows no such fault or bill; faults are: {', '.join(sorted(FAULTS))}")
    status = int(wishes["status"]) if "status" in wishes else None
    if status is not None and not 400 <= status <= 599:
        raise VendorError.invalid("a fault's status is from 400 to 599")
    return FaultRule(
        fault=cast(FaultName, name),
        status=status,
        retry_after=int(wishes["retry_after"]) if "retry_after" in wishes else None,
        after=int(wishes.get("after", "1")),
        delay_ms=int(wishes.get("delay", "0")),
        bill=cast("Bill | None", bill),
    )


def billed(fault: FaultRule) -> Bill:
    """What the vendor bills of a request that met it."""
    return fault.bill or _BILLED.get(fault.fault, "all")


def error_of(fault: FaultRule, vendor: str) -> VendorError:
    """The error that a fault before the work is."""
    anthropic = vendor == "anthropic"
    match fault.fault:
        case "rate_limit":
            error = VendorError(429, "Rate limit reached for requests")
        case "quota" | "spend_limit" if not anthropic:
            message = "You exceeded your current quota, please check your plan and billing details."
            error = VendorError(429, message, type="insufficient_quota", code="insufficient_quota")
        case "quota":
            error = VendorError(402, "Your credit balance is too low to access the Anthropic API.")
        case "spend_limit":
            error = VendorError(429, "Your organization has reached the spend limit of its contract.")
            error.code = "contract_spend_limit_reached"
        case "ramp_limit":
            error = VendorError(429, "Your usage grew faster than the ramp limit allows.")
            error.code = "ramp_limit_exceeded" if anthropic else None
        case "overloaded":
            error = VendorError(529 if anthropic else 503, "Overloaded")
        case "timeout":
            error = VendorError(504, "The request took too long")
        case _:
            error = VendorError(500, "The server had an error while processing your request")
    if fault.status:
        error.status = fault.status
    if fault.retry_after is not None:
        error.headers = {"retry-after": str(fault.retry_after)}
    return error

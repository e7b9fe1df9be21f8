"""Rate limits by the minute, and the headers that both vendors say them in. Pure: `now` (seconds) is an argument.

A limit refills all the time, so that after a minute of rest it is whole. Without a limit in the script the headers
name one that nothing reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import lru_cache

from offtake.sandbox.refusals import VendorError
from offtake.sandbox.script import LimitRule

UNREACHED = 1_000_000_000
KINDS = ("requests", "input", "output")


@dataclass(slots=True)
class Bucket:
    """What is left of one limit a minute; it may go below zero, since output is only known afterwards."""

    most: int
    left: float
    at: float

    def now(self, now: float) -> float:
        """What is left now."""
        self.left = min(float(self.most), self.left + (now - self.at) * self.most / 60)
        self.at = now
        return self.left


class Limits:
    """The limits of each model that a rule names, one set for each rule and model."""

    def __init__(self, rules: list[LimitRule]) -> None:
        self._rules = rules
        self._buckets: dict[tuple[str, str], dict[str, Bucket]] = {}

    def admit(self, vendor: str, model: str, input_tokens: int, now: float) -> dict[str, Bucket]:
        """Takes a request; VendorError 429 with retry-after where a limit is used up."""
        buckets = self._of(vendor, model, now)
        asked = {"requests": 1, "input": input_tokens, "output": 0}
        for kind in KINDS:
            bucket = buckets.get(kind)
            if bucket is None:
                continue
            needed = min(asked[kind], bucket.most) or 1
            if bucket.now(now) < needed:
                wait = max(1, -(-int((needed - bucket.left) * 60) // bucket.most))
                words = {"requests": "requests", "input": "input tokens", "output": "output tokens"}[kind]
                raise VendorError(
                    429,
                    f"Rate limit reached for {model}: {bucket.most} {words} a minute. Try again in {wait}s.",
                    type={"requests": "requests"}.get(kind, "tokens") if vendor != "anthropic" else None,
                    headers={"retry-after": str(wait)} | headers_of(vendor, buckets, now),
                )
        for kind, bucket in buckets.items():
            bucket.left -= asked[kind]
        return buckets

    def _of(self, vendor: str, model: str, now: float) -> dict[str, Bucket]:
        key = (vendor, model)
        if key not in self._buckets:
            rule = next((rule for rule in self._rules if _fits(rule, vendor, model)), None)
            most = {} if rule is None else {
                "requests": rule.requests_per_minute,
                "input": rule.input_tokens_per_minute,
                "output": rule.output_tokens_per_minute,
            }  # fmt: skip
            self._buckets[key] = {kind: Bucket(each, each, now) for kind, each in most.items() if each}
        return self._buckets[key]


def _fits(rule: LimitRule, vendor: str, model: str) -> bool:
    return rule.vendor in ("", vendor) and fnmatchcase(model, rule.model)


def headers_of(vendor: str, buckets: dict[str, Bucket], now: float) -> dict[str, str]:
    """The headers of a vendor for these limits, and the few that it always sends."""
    return _headers(vendor, buckets, now) if buckets else _unreached(vendor, int(now))


@lru_cache(maxsize=8)
def _unreached(vendor: str, second: int) -> dict[str, str]:
    return _headers(vendor, {}, second)


def _headers(vendor: str, buckets: dict[str, Bucket], now: float) -> dict[str, str]:
    said = {"anthropic-organization-id": "sandbox"} if vendor == "anthropic" else {"openai-version": "2020-10-01"}
    for kind in KINDS:
        bucket = buckets.get(kind) or Bucket(UNREACHED, UNREACHED, now)
        left = max(0, int(bucket.now(now)))
        wait = (bucket.most - left) * 60 / bucket.most
        if vendor == "anthropic":
            name = "requests" if kind == "requests" else f"{kind}-tokens"
            reset = datetime.fromtimestamp(int(now + wait), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            said |= _three(f"anthropic-ratelimit-{name}-{{}}", bucket.most, left, reset)
            if kind == "input":  # the scarcer of both, which is nearly always this one
                said |= _three("anthropic-ratelimit-tokens-{}", bucket.most, left, reset)
        elif kind != "output":
            name = "requests" if kind == "requests" else "tokens"
            said |= _three(f"x-ratelimit-{{}}-{name}", bucket.most, left, f"{wait:.3f}s")
    return said


def _three(name: str, most: int, left: int, reset: str) -> dict[str, str]:
    return {name.format("limit"): str(most), name.format("remaining"): str(left), name.format("reset"): reset}

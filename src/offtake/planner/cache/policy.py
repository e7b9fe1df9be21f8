"""Which policies there are, how they are written on a command line, and which are worth a row under given rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from offtake.planner.cache.break_even import break_even
from offtake.planner.cache.rules import AUTOMATIC_TTLS, CacheRules, ttls_of
from offtake.values.errors import InputError

NAMES = "end, static, from-turn:K, keep-alive:N, auto, none or all"
TURNS_TRIED = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to cache. `number` is the turn of `from-turn` or the most pings of `keep-alive`; `ttl` is "" for `none`."""

    kind: str
    ttl: str = ""
    number: int = 0

    @property
    def name(self) -> str:
        """As it is written: `from-turn:2`."""
        return f"{self.kind}:{self.number}" if self.number else self.kind

    def words(self) -> str:
        """As one would say it."""
        said = {
            "none": "no caching",
            "end": "a breakpoint at the end of every prompt",
            "static": "breakpoints at static prefixes only",
            "from-turn": f"a breakpoint at the end of prompts from turn {self.number} on",
            "keep-alive": f"a breakpoint at the end of every prompt, kept alive by at most {self.number} pings",
            "auto": "the vendor's automatic cache",
        }[self.kind]
        kept = "" if not self.ttl else f", {self.ttl}" if self.kind != "auto" else f" if it keeps for {self.ttl}"
        return said + kept


NONE = Policy("none")


def policies(text: str, rules: Sequence[CacheRules]) -> list[Policy]:
    """The policies that a word asks for; with `all` those that the rules can serve, and `auto` for comparison.

    InputError P615 for another word, P616 for breakpoints where the vendor caches by itself.
    """
    found = re.fullmatch(r"(none|end|static|auto|all)|(from-turn|keep-alive):([1-9]\d{0,5})", text)
    if not found:
        raise InputError("P615", f"no policy {text!r}", hint=f"policies are {NAMES}")
    ttls, automatic = ttls_of(rules), all(each.automatic for each in rules)
    if text == "all":
        return [NONE, *([] if automatic else _breakpoints(ttls, rules)), *_automatic(ttls, automatic)]
    if text == "none":
        return [NONE]
    if text == "auto":
        return list(_automatic(ttls, automatic))
    if automatic:
        raise InputError(
            "P616", f"{rules[0].name} takes no breakpoints: it caches by itself", hint="use --policy auto or all"
        )
    return [Policy(found[1] or found[2], ttl, int(found[3] or 0)) for ttl in ttls]


def _breakpoints(ttls: Sequence[str], rules: Sequence[CacheRules]) -> Iterator[Policy]:
    for kind, number in (("end", 0), *(("from-turn", turn) for turn in TURNS_TRIED), ("static", 0)):
        yield from (Policy(kind, ttl, number) for ttl in ttls)
    pings = next((each for each in rules if not each.automatic), rules[0])
    most = break_even(pings, ttls[0]).pings or 0
    yield from (Policy("keep-alive", ttls[0], number) for number in sorted({1, int(most)}) if 1 <= number <= most)


def _automatic(ttls: Sequence[str], automatic: bool) -> Iterator[Policy]:
    kept = ttls if automatic or len(ttls) == 1 else AUTOMATIC_TTLS
    yield from (Policy("auto", ttl) for ttl in kept)

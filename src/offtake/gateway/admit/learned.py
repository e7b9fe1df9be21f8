"""What requests of one key on one model use of what they might: quantiles, learned as requests settle.

Three things are learned apart, because prompts differ from call to call: the output in tokens, the input as a part of
its upper bound (a bound counts bytes), and what all but the output costs as a part of its bound. A key that is new on a
model is taken to be like the others there. Each worker learns for itself. Nothing of a request's content is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from offtake.gateway.admit.quantile import Quantile

HIGH = 990
MEDIAN = 500
MARGIN = 2
SAMPLES_MIN = 20
SETTLED = 64  # from here on a key speaks seldom for its model, so that a busy one does not drown the others
PAIRS_MAX = 65_536
OUTPUT_PRIOR_TOKENS = 2_048
"""What a request is taken to write at most before its model was seen often enough."""
OUTPUT_PRIOR_MEDIAN_TOKENS = 512
THOUSAND = 1_000


class Seen(NamedTuple):
    """One key on one model."""

    output_tokens: Quantile
    input_permille: Quantile
    rest_permille: Quantile


class Learned:
    """The pairs that were used last; those that were not used for the longest are forgotten first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], Seen] = OrderedDict()
        self.version = 0  # grows with all that is learned

    def add(
        self, key: str, model: str, output_tokens: int, input_tokens: int, input_tokens_max: int, rest_pico: int,
        rest_bound_pico: int,
    ) -> None:  # fmt: skip
        """A request has settled. `rest_pico` is what all but its output cost, its bound that without server tools."""
        self.version += 1
        mine = self._seen.get((key, model))
        known = mine is not None and mine.output_tokens.total >= SETTLED and mine.output_tokens.total % SETTLED
        for name in ((key, model),) if known else ((key, model), ("", model)):
            pair = self._seen.get(name)
            if pair is None:
                pair = self._seen[name] = Seen(Quantile(), Quantile(), Quantile())
                if len(self._seen) > PAIRS_MAX:
                    self._seen.popitem(last=False)
            self._seen.move_to_end(name)
            pair.output_tokens.add(output_tokens)
            pair.input_permille.add(-(-input_tokens * THOUSAND // input_tokens_max) if input_tokens_max else 0)
            pair.rest_permille.add(-(-rest_pico * THOUSAND // rest_bound_pico) if rest_bound_pico else 0)

    def surely(self, key: str, model: str) -> tuple[int, int]:
        """(output tokens, thousandths of the bound of all else): twice what 99 of 100 requests do not exceed."""
        pair = self._known(key, model)
        if pair is None:
            return OUTPUT_PRIOR_TOKENS, THOUSAND
        return MARGIN * pair.output_tokens.at(HIGH), MARGIN * pair.rest_permille.at(HIGH)

    def tokens(
        self, key: str, model: str, input_tokens_max: int, output_tokens_max: int | None, permille: int
    ) -> tuple[int, int]:
        """(input, output) tokens that so many of a thousand requests do not exceed; within the limits given."""
        share, output_tokens = self.shares(key, model, permille)
        input_tokens = -(-input_tokens_max * share // THOUSAND)
        return input_tokens, output_tokens if output_tokens_max is None else min(output_tokens, output_tokens_max)

    def shares(self, key: str, model: str, permille: int) -> tuple[int, int]:
        """(thousandths of the bound of the input, output tokens) that so many of a thousand requests do not exceed."""
        pair = self._known(key, model)
        if pair is None:
            return THOUSAND, OUTPUT_PRIOR_TOKENS if permille > MEDIAN else OUTPUT_PRIOR_MEDIAN_TOKENS
        return min(pair.input_permille.at(permille), THOUSAND), pair.output_tokens.at(permille)

    def _known(self, key: str, model: str) -> Seen | None:
        pair = self._seen.get((key, model))
        if pair is None or pair.output_tokens.total < SAMPLES_MIN:
            pair = self._seen.get(("", model))
            if pair is None or pair.output_tokens.total < SAMPLES_MIN:
                return None
        return pair

"""When a line that runs by itself may leave: within what the contract serves, of which this process has a part.

Clause: `capacity.limits`. A line waits where a client's call would be refused; one that never fits is told so.
"""

from __future__ import annotations

import time

from offtake.gateway.admit.admission import expected_tokens
from offtake.gateway.admit.hold import shape_of
from offtake.gateway.admit.learned import HIGH
from offtake.gateway.admit.limits import Limits, Ticket
from offtake.gateway.ask import Ask, Refusal, Served
from offtake.gateway.batch.plan import Planned
from offtake.gateway.batch.work import Work
from offtake.gateway.desk import instant
from offtake.usage.usage_objects import context_of

WAIT_SECONDS_MIN = 0.05


class Turns:
    """The turns of one line: `take` one, send it, and `give_back` what it did not use."""

    def __init__(self, work: Work, line: Planned, ask: Ask) -> None:
        outlet, rules = work.outlet(line), work.caller.rules
        enforced = outlet.modes.of("limits") == "enforce"
        self._limits = work.scales.in_force.limits.get(outlet.contract, Limits(())) if enforced else Limits(())
        shape = shape_of(ask, outlet, line.model, rules)
        ceiling = outlet.bounds.ceiling(shape, instant(work.batch.created_at))
        self._tokens = expected_tokens(ask, ceiling, rules, line.model, work.scales.learned, HIGH)
        self._ticket: Ticket | None = None

    def never(self) -> Refusal | None:
        """Why it may not leave, however long it waits."""
        if not self._limits.never(*self._tokens):
            return None
        return self._limits.refusal(*self._tokens, time.monotonic_ns())

    def take(self) -> float:
        """0 where it may leave, and is counted; else the seconds after which it may ask again."""
        now_ns = time.monotonic_ns()
        refusal = self._limits.refusal(*self._tokens, now_ns)
        if refusal is not None:
            return max(refusal.retry_after_seconds or 0.0, WAIT_SECONDS_MIN)
        self._ticket = self._limits.admit(*self._tokens, now_ns)
        return 0.0

    def give_back(self, served: Served | None) -> None:
        """It has come back, with this answer or with none."""
        quantities = (served and served.quantities) or {}
        if self._ticket is not None:
            used = context_of(quantities) or 0, quantities.get("output_tokens", 0)
            self._limits.settle(self._ticket, *used, time.monotonic_ns())
            self._ticket = None

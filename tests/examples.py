"""On how many examples a property is tried: `LAW` where the bill itself is at stake, the profile's number elsewhere.

`make test` tries a law on 1,000 examples and any other property on 200, OFFTAKE_FAST=1 each on 25, and `make soak` each
on 1,000 that nobody has seen before (tests/conftest.py).
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

LAW_MIN = 1_000
_usual = settings().max_examples
_law = LAW_MIN if _usual >= 200 else _usual

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)
"""For what rates whole contracts: slow to draw, and one counterexample at a time."""
LAW = settings(SLOW, max_examples=_law)
CLAUSE = settings(SLOW, max_examples=max(25, _law // 8))
"""For one clause of what a law asks of any mix of clauses."""

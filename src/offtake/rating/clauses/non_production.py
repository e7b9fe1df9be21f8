"""Non-production: a share off for development, evaluation and test workloads.

Clause: `prices.non_production`. Source: S2 "for internal/testing use".

Why it matters: evaluation traffic is large and earns nothing. It takes a workload name on each request to prove it.

Example: 30% off for `dev-*` and `eval-*`: workload `eval-nightly` pays 4.25 × 0.70 = $2.975/M; `support` pays $4.25/M.
"""

from __future__ import annotations

from offtake.contract.patterns import match_any
from offtake.contract.schema.terms import Terms


def applies(terms: Terms, workload: str) -> bool:
    """Whether the workload is one that the clause names."""
    clause = terms.prices.non_production
    return clause is not None and match_any(clause.workloads, workload)

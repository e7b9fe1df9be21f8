"""The hash chain: each block of postings carries the hash of the one before, so that no past line can change unseen.

A block's hash is SHA-256 over its number, its instant, the previous hash, its lines in order and its postings by
account. How many lines and postings there are stands in the head, so that no two blocks have one text.
"""

from __future__ import annotations

from hashlib import sha256

from offtake.ledger.transactions import Postings

GENESIS = "0" * 64


def block_hash(number: int, at: int, previous: str, lines: bytes, postings: Postings) -> str:
    """The hash of a block, in hex. `at` is in microseconds since 1970, UTC; `lines` are joined by line feeds."""
    amounts = [f"{postings[account]} {account}" for account in sorted(postings)]
    found = sha256(f"{number} {at} {previous} {len(lines)} {len(amounts)}\n".encode())
    found.update(lines)
    found.update("".join(f"\n{amount}" for amount in amounts).encode())
    return found.hexdigest()

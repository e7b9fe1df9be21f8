"""A number of things in words, so that one thing is never `1 things`."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """1 row, 2 rows, 1,000 rows."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"

"""Levers: what pays here without a contract, what may be asked for, and what excludes what."""

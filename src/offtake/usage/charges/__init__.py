"""Readers of money rows: a vendor's invoice or cost API as charges. `charges/reading.py` has the table."""

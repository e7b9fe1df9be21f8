"""One reader a foreign format; `usage/reading.py` has the table."""

"""Scenarios: a contract, some usage, and the lines that must come of it, in the users' own words and numbers."""

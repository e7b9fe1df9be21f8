"""Admission: what may be sent, how fast, and what it holds of its budgets first."""

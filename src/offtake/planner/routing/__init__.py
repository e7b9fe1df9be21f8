"""Routing: the cheapest model that passes the buyer's own evaluation, and what keeps that true."""

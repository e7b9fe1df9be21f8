"""Simulated vendors on the real wire, with their own meter: an independent peer for the gateway and for any client."""

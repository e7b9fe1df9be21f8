"""The rig of bench/gateway.py: gateways on one core; the mock vendor and the load on another."""

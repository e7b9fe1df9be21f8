"""How much to promise: commitments by level and by fractile, reserved throughput, pools, paying in advance."""

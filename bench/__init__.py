"""Benchmarks: one script a claim, peers measured beside ours in the same run."""

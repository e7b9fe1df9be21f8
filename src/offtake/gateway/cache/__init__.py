"""Prompt caching for workloads that opted in: which prefixes come again, whether a mark pays, and the mark itself."""

"""Readers of traces that say which part of a prompt was seen before: what a prompt cache could have served."""

"""Batches on the wire of OpenAI and of Anthropic: checked and held whole, run by the vendor or by us, billed once."""

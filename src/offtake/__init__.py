"""Offtake runs a company's LLM contract: prices it before signing, and checks every bill after."""

__version__ = "0.1.0"

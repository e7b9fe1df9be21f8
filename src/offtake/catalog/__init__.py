"""List prices and model facts, dated."""

"""One use case a file: load facts, call the core, record. The only thing that faces call."""

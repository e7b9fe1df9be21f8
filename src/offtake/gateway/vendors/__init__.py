"""How each vendor is called: address, signature, and what its cloud wraps around the wire."""

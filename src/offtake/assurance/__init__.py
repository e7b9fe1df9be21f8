"""After signing: what the bill gets wrong, what is left of each commitment, and what is due."""

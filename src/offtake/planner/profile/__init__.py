"""Usage → workloads: how large, how steady, what could wait, and which lever moves the bill."""

"""The command line: parses input, calls one operation, renders. No rules of its own."""

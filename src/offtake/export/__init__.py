"""What other tools read: FOCUS cost and usage, and a double-entry journal."""

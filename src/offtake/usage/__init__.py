"""The usage record, its schema, and readers of foreign formats."""

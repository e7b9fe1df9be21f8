"""One clause per file: what it is, why it matters, a worked example in numbers, and its source."""

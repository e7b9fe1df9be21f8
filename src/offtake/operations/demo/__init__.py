"""The demo: a made month and a bill with planted errors, and what Offtake says of the two."""

"""What `check` proves, by subject: prices, policies, commitments, references, and terms that can have no effect."""

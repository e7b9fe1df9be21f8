"""What to buy, how to run it, and what each clause is worth."""

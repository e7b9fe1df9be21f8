"""Money, units, periods and errors: the words that every other room uses. Imports nothing of ours."""

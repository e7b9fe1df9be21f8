"""Usage × terms → lines → invoice."""

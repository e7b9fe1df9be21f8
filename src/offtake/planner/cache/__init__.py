"""What prompt caching is worth: replay of real prompts under dated rules, and the arithmetic that needs no trace."""

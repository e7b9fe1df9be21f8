"""What each clause of a contract is worth: dollars a year, over many futures, by the one engine."""

"""Which offers to sign, at which level, and what to route where: the search for the cheapest plan."""

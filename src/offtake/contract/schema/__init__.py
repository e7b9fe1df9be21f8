"""The language of the contract file, one module a section. `terms.Terms` is the whole file as of one instant."""

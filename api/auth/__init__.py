"""Who calls: sessions, tokens, keys, passwords, roles. Not here: what a role sees of a noun."""

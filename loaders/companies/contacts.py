"""Columns of a company that may be a person's: whoever shows companies leaves them out.

Belongs here: their names. Not here: who sees them (macros/papeis.sql, api/, exports/).
"""

CONTACTS = frozenset({"telefone", "email"})

"""The PostgreSQL that a clone runs: cluster, packages, roles, backup.

Belongs here: the server. Not here: what its tables hold (loaders, dbt).
"""

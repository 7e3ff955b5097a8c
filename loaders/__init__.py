"""Landing of source files in schema ``raw``: plain Python, no Dagster and no dbt.

Belongs here: reading a source, writing raw, the import ledger. Not here: transformation (dbt's).
"""

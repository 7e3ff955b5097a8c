"""Dagster's code location: the same loaders and dbt models, with runs, lineage, schedules.

Belongs here: wiring. Not here: how a file is landed (loaders/) or a table is built (dbt_project/).
"""

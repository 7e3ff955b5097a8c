"""The landing gate: whether what landed of a safra may be published.

Belongs here: comparison, rules, verdict, hold and release. Not here: landing, building, Dagster.
"""

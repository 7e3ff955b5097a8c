"""Weights of the score, learned from how proposals ended: from tables to tables.

Belongs here: outcomes → weights, and whether they are better than the seed's. Not here: how
outcomes land (loaders/outcomes), the score (dbt), when anything runs (dagster_pipeline/).
"""

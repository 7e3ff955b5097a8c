"""ANEEL's geodatabases and CSVs: read, checked, landed in schema raw.

Belongs here: all that only BDGD needs. Not here: ledger, connection (loaders/), judging (gate/).
"""

"""The REST API: what programs see of the warehouse, over HTTP. docs/api.md says how to use it.

Belongs here: HTTP, who may see what, schema app's users, tokens and audit. Not here: figures (dbt's
marts), landing (loaders/), anything of Dagster but a call of its GraphQL.
"""

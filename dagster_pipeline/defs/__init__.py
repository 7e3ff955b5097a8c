"""One module per Dagster noun; definitions.py puts them together."""

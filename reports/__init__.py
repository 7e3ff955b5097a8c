"""Reports on paper and in a browser: one HTML and one PDF per published safra, from marts alone.

Belongs here: what a report asks, says and looks like. Not here: any figure's computation (dbt's
marts), when one is made (dagster_pipeline). Imports neither Dagster nor dbt. ``python -m reports``.
"""

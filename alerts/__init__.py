"""Alerts, deliveries and leads for a CRM: reads marts, writes schema app.

Belongs here: rules as data, judging them, delivering. Not here: what is odd (dbt's marts), when it
is looked at (dagster_pipeline). Imports neither Dagster nor dbt. ``python -m alerts``.
"""

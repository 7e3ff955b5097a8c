"""Whether the warehouse is well, and telling people when it is not (docs/runbook.md, *Saúde*).

Belongs here: questions about the state of things, incidents, figures for a monitor. Not here: what
the data say of the market (alerts/), one screen of what there is (dagster_pipeline/status.py).
"""

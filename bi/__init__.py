"""Superset on the marts: its environment, its database, what it shows, brought in from dashboards/.

Belongs here: what is checked, imported, exported, started, stopped. Not here: what Superset shows
(dashboards/), what marts hold and mean (dbt_project/models/marts). ``inside/`` is run by Superset's
own python and imports none of our rooms.
"""

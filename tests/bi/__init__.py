"""Superset in a browser, on warehouses of the run's own: ``make test-bi``.

Not here: what of dashboards/ is true without Superset (tests/unit/test_bi.py).
"""

"""The panel in a real browser, on a real API and a built warehouse: ``make test-painel``."""

"""Totals by a dimension, and reports. Not here: forecasts, which are lists of listings/."""

"""Exchange with R (SCR): what it reads from us, and predictions that come back.

Belongs here: files for R, the contract of predictions, their landing. Not here: how well they did
(dbt's), our own forecasts (forecasting/).
"""

"""Energy forecasts of aggregates, table to table: a distributor at a time, into raw.previsao_*.

Belongs here: series, models, backtests, the writing. Not here: which series there are and which
are hidden (dbt's safra_serie), what readers see (dbt's marts), when it runs (dagster_pipeline/).
"""

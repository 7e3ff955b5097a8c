"""Tables of marts as Parquet, for who reads files: DuckDB, pandas, GeoPandas, R, QGIS.

Belongs here: which tables and columns leave the database, as what types, in which folder. Not here:
files for R's forecasts and what comes back (loaders/exchange), pages of the API (api/), backups
(server/backup.py).
"""

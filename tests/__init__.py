"""Tests: unit/ needs no database, integration/ a PostgreSQL/PostGIS that the run starts."""

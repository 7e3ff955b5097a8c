"""Tests on a PostgreSQL/PostGIS of the run's own."""

"""Readings of AICSS sensors: read and landed in ``raw.aicss_leitura``.

Belongs here: all that only AICSS needs. Not here: states and energy (dbt's).
"""

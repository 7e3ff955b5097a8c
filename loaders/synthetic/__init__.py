"""Made-up data for the example and the tests: geodatabases from a seed, a day of AICSS readings.

Belongs here: making files. Not here: landing them.
"""

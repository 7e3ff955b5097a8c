"""Right values of whole rows, worked out by pandas alone: inputs, expectation, files, comparison.

Belongs here: what must come out of a build, without dbt and without the database. Not here: the
build and its claims (tests/integration/test_golden.py). Made by ``python -m tests.golden.make``.
"""

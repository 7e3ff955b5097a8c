"""Faults planted one at a time, and what notices them: ``make mutants``.

Belongs here: operators, known faults, judging, the report. Not here: tests of the product.
"""

"""Speed and sizes, measured side by side with the ways people use today: `make bench`.

One module per group of figures; warehouse.py is what they measure on, measure.py how, report.py
how it is told. Not here: timed tests (there are none), the things measured.
"""

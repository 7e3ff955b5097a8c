"""At which zoom of a map a mesh is drawn how coarsely.

Belongs here: the classes. Not here: drawing (simplify.py), tiles (api/maps).
"""

CLASSES = {0: 30_000, 3: 8_000, 5: 2_500, 7: 700, 9: 0}
"""The first zoom of each class → metres of EPSG:3857 (shapely.coverage_simplify's tolerance): half
a pixel or less of a tile of 512. Brazil's tiles stay below 100 kB gzipped (docs/benchmarks.md)."""

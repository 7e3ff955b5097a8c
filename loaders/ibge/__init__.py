"""IBGE's mesh of municípios, as a file that a person has: GeoJSON, GeoPackage, shapefile.

Belongs here: that kind of source. Not here: names and points of municípios (seeds), maps.
"""

"""Maps' tiles: municípios, hexagons, leads, feeders, transformers, each a statement."""

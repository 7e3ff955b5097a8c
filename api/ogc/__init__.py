"""OGC API – Features for GIS tools, by tipg: collections of marts behind the API's own gate."""
